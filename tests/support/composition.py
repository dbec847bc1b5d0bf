"""The composition of docker/ with names and ports of its own, as an operator runs it."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.engine import Engine
from tests.support.paths import ROOT

__all__ = ["Composition"]

FOLDER = ROOT / "docker"
BARE = "debian:bookworm-slim"  # an image with a shell
COMMAND_SECONDS = 300
LINES = 2000  # of the log of a container that are kept


@dataclass
class Composition:
    """Containers, networks and volumes of one project.

    Attributes:
        engine: That runs them.
        project: The prefix of their names.
        environment: What is set in an operator's environment.
        files: Beside compose.yaml.
        profiles: That are on.
    """

    engine: Engine
    project: str
    environment: Mapping[str, str]
    files: Sequence[Path] = ()
    profiles: list[str] = field(default_factory=list)

    @property
    def variables(self) -> dict[str, str]:
        """What commands find in their environment, beside that of this process."""
        files = (FOLDER / "compose.yaml", *self.files)
        return {
            **self.environment,
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_FILE": ":".join(map(str, files)),
            "COMPOSE_PROFILES": ",".join(self.profiles),
            "RVAE_COMPOSE": shlex.join(self.engine.compose),
        }

    def run(self, *command: str, check: bool = True, seconds: float = COMMAND_SECONDS) -> str:
        """Run a command of compose, and return what it printed."""
        done = self.engine.call(
            *self.engine.compose,
            *command,
            check=check,
            seconds=seconds,
            environment=self.variables,
            folder=FOLDER,
        )
        return done.stdout

    def manage(self, *command: str, check: bool = True) -> str:
        """Run a command of `rvae` for all servers, and return what it printed."""
        return self.run("run", "--rm", "-T", "manage", *command, check=check)

    def script(self, name: str, *arguments: str) -> str:
        """What a script of the folder prints, in the same environment."""
        command = (str(FOLDER / name), *arguments)
        return self.engine.call(*command, environment=self.variables, folder=FOLDER).stdout

    def containers(self, service: str, *, stopped: bool = False) -> list[str]:
        """Ids of a service's containers."""
        labels = {"project": self.project, "service": service, "oneoff": "False"}
        filters = [f"--filter=label=com.docker.compose.{name}={labels[name]}" for name in labels]
        everything = ["--all"] if stopped else []
        return self.engine.run("ps", "--quiet", "--no-trunc", *everything, *filters).stdout.split()

    def container(self, service: str) -> str:
        """Id of a service's only container."""
        (one,) = self.containers(service)
        return one

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine knows of a service's first container."""
        return self.facts(self.containers(service)[0])

    def facts(self, container: str) -> dict[str, Any]:
        """What the engine knows of a container."""
        (found,) = json.loads(self.engine.run("container", "inspect", container).stdout)
        return dict(found)

    def shell(self, service: str, script: str, *, check: bool = True) -> str:
        """What a script prints in a service's first container."""
        container = self.containers(service)[0]
        return self.engine.run("exec", container, "sh", "-c", script, check=check).stdout

    def kill(self, container: str) -> None:
        """End a container's first process with SIGKILL, so that it counts as a crash.

        After `docker kill` the engine would not start it again.
        """
        self.signal(int(self.facts(container)["State"]["Pid"]), "KILL")

    def signal(self, pid: int, name: str) -> None:
        """Send a signal to a process of a container, by its number on the host."""
        alone = ("--rm", "--network=none", "--pid=host", BARE)
        self.engine.run("run", *alone, "sh", "-c", f"kill -s {name} {pid}")

    def processes(self, container: str) -> dict[int, str]:
        """Commands of a container's processes by their number on the host."""
        # -ww: an engine that these tests started has the COLUMNS of readline in its environment.
        lines = self.engine.run("top", container, "-ww", "-eo", "pid,args").stdout.splitlines()[1:]
        return {int(line.split()[0]): line.split(None, 1)[1] for line in lines}

    def keep_logs(self, folder: Path) -> None:
        """Write what every container has said to a folder."""
        found = f"--filter=label=com.docker.compose.project={self.project}"
        for name in self.engine.run("ps", "--all", found, "--format={{.Names}}").stdout.split():
            said = self.engine.run("logs", f"--tail={LINES}", name, check=False)
            (folder / f"{name}.log").write_text(said.stdout + said.stderr)

    def take_down(self) -> None:
        """Remove everything of the project, with its volumes."""
        self.run("down", "--volumes", "--remove-orphans", "--timeout=20", check=False)
        mine = f"label=com.docker.compose.project={self.project}"
        for kind, command in {
            "container": ("rm", "--force", "--volumes"),
            "network": ("network", "rm"),
            "volume": ("volume", "rm"),
        }.items():
            listing = ["--all"] if kind == "container" else []
            ids = self.engine.run(
                kind, "ls", *listing, "--quiet", f"--filter={mine}"
            ).stdout.split()
            if ids:
                self.engine.run(*command, *ids, check=False)
