"""A container engine for tests: the one that runs, or one of their own."""

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import wait_for

__all__ = ["Engine", "NoEngineError", "container_engine"]

INSTALL = "install docker.io, docker-compose, debootstrap and iptables, or start an engine"
START_SECONDS = 60
STOP_SECONDS = 60


class NoEngineError(Exception):
    """There is no container engine, and none can be started; the text says why."""

    def __init__(self, why: str) -> None:
        super().__init__(f"no container engine: {why}: {INSTALL}")


@dataclass(frozen=True)
class Engine:
    """An engine that answers.

    Attributes:
        version: Of the engine.
        compose: The command that composes containers.
        environment: Variables that its commands need.
    """

    version: str
    compose: tuple[str, ...]
    environment: Mapping[str, str]

    def __str__(self) -> str:
        return f"engine {self.version}, {shlex.join(self.compose)}"

    def run(
        self, *command: str, check: bool = True, seconds: float = 120
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command of `docker`; see `call`."""
        return self.call("docker", *command, check=check, seconds=seconds)

    def call(
        self,
        *command: str,
        check: bool = True,
        seconds: float = 120,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Run any command with this engine.

        Raises:
            AssertionError: If it fails and `check` holds; with what it printed.
        """
        done = subprocess.run(
            command,
            env={**os.environ, **self.environment, **(environment or {})},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}{done.stderr}"
        return done


@contextmanager
def container_engine() -> Iterator[Engine]:
    """The engine that runs already, or one that runs until the context is left.

    Raises:
        NoEngineError: If there is none.
    """
    if shutil.which("docker") is None:
        raise NoEngineError("docker is not installed")
    compose = _compose()
    if version := _version({}):
        yield Engine(version, compose, {})
        return
    with tempfile.TemporaryDirectory(prefix="rvae-engine-") as folder:
        environment = {"DOCKER_HOST": f"unix://{folder}/docker.sock"}
        with _daemon(Path(folder), environment):
            yield Engine(_version(environment), compose, environment)


@contextmanager
def _daemon(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """A `dockerd` that keeps everything in a folder."""
    if shutil.which("dockerd") is None:
        raise NoEngineError("none runs, and dockerd is not installed")
    if os.geteuid() != 0:
        raise NoEngineError("none runs, and only root can start dockerd")
    log = folder / "dockerd.log"
    command = [
        "dockerd",
        f"--host={environment['DOCKER_HOST']}",
        f"--data-root={folder / 'data'}",
        f"--exec-root={folder / 'exec'}",
        f"--pidfile={folder / 'pid'}",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    try:
        wait_for(lambda: process.poll() is not None or bool(_version(environment)), START_SECONDS)
        if process.poll() is not None:
            raise NoEngineError(f"dockerd ended: {_last_line(log)}")
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
        _unmount(folder)


def _unmount(folder: Path) -> None:
    """What an engine leaves mounted, such as a namespace of networks."""
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for point in reversed([one for one in points if one.startswith(f"{folder}/")]):
        subprocess.run(["umount", "--lazy", point], check=True)


def _version(environment: Mapping[str, str]) -> str:
    """Of the engine; empty if none answers."""
    done = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def _compose() -> tuple[str, ...]:
    """The command in RVAE_COMPOSE, or the one that is there."""
    if forced := os.environ.get("RVAE_COMPOSE"):
        return tuple(shlex.split(forced))
    plugin = ("docker", "compose")
    done = subprocess.run([*plugin, "version"], capture_output=True, check=False)
    if done.returncode == 0:
        return plugin
    if shutil.which("docker-compose") is None:
        raise NoEngineError("neither docker compose nor docker-compose is installed")
    return ("docker-compose",)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
