"""The command `rvae serve` as a user starts it, and the processes below it."""

import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from tests.support.memory_groups import MemoryGroup
from tests.support.waiting import wait_for

__all__ = ["ServedProcess", "free_ports"]

START_SECONDS = 90
STOP_SECONDS = 60


class ServedProcess:
    """A running `rvae serve`, ended with all that it has started when the context is left.

    Args:
        store: Folder with archives.
        folder: Empty folder for logs, temporary files and what the command prints.
        options: More options of the command.
        environment: Variables that differ from those of this process.
        prefix: A command that starts the command.
        group: Memory that all its processes may have together.
        logs: Folder of its logs, if not one in `folder`.
        port: Its port; a free one if left out.
    """

    def __init__(
        self,
        store: Path,
        folder: Path,
        options: Sequence[object] = (),
        environment: Mapping[str, str] | None = None,
        prefix: Sequence[object] = (),
        group: MemoryGroup | None = None,
        logs: Path | None = None,
        port: int | None = None,
    ) -> None:
        self.port = port or free_ports()
        self.logs = logs or folder / "logs"
        self.scratch_root = folder / "tmp"
        self.scratch_root.mkdir()
        self.printed = folder / "printed.txt"
        command = [
            *map(str, prefix),
            *(sys.executable, "-m", "rvae.cli", "serve", "--store", str(store)),
            *("--port", str(self.port), "--logs", str(self.logs)),
            *map(str, options),
        ]
        if group is not None:
            command = ["sh", "-c", f"echo $$ > {group.members} && exec {shlex.join(command)}"]
        with self.printed.open("wb") as printed:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, "TMPDIR": str(self.scratch_root), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> "ServedProcess":
        try:
            self.wait_until_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        for pid in {*self.workers(), *self.javas()}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        if self.process.poll() is None:
            self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        self.kill()

    @property
    def address(self) -> tuple[str, int]:
        """Where predictions are asked for."""
        return ("127.0.0.1", self.port)

    def text(self) -> str:
        """What the command has printed."""
        return self.printed.read_text(errors="replace")

    def wait_until_ready(self) -> None:
        """Return once the command says that it serves; fail if it ends."""

        def says_so() -> bool:
            assert self.process.poll() is None, self.text()
            return "Ctrl-C" in self.text()

        wait_for(says_so, START_SECONDS)

    def below(self) -> list[psutil.Process]:
        """All processes that the command has started, and theirs."""
        with suppress(psutil.Error):
            return psutil.Process(self.process.pid).children(recursive=True)
        return []

    def javas(self) -> set[int]:
        """Process ids of TorchServe's Java."""
        return self._running("org.pytorch.serve.ModelServer")

    def workers(self) -> set[int]:
        """Process ids of what runs the models."""
        return self._running("model_service_worker.py")

    @property
    def worker(self) -> int:
        """Process id of the only worker."""
        (pid,) = self.workers()
        return pid

    def await_another_worker(self, than: int, seconds: float = 60) -> None:
        """Return once the only worker is another one; fail if there is none in time."""
        wait_for(lambda: len(self.workers()) == 1 and than not in self.workers(), seconds)

    def kill_worker(self) -> int:
        """Kill the only worker, and return what its process id was."""
        pid = self.worker
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill(self) -> None:
        """End everything at once, also what has outlived its parent."""
        left = [*self.below(), *self._strays()]
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, 10)

    def _running(self, name: str) -> set[int]:
        pids = set()
        for process in self.below():
            with suppress(psutil.Error):  # it may be ending at this moment
                if any(part.endswith(name) for part in process.cmdline()):
                    pids.add(process.pid)
        return pids

    def _strays(self) -> list[psutil.Process]:
        """Processes that keep their files in this server's temporary folder."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if str(self.scratch_root) in " ".join(process.cmdline()):
                    found.append(process)
        return found


def free_ports() -> int:
    """A port that is free with the two after it.

    It is none of those that Linux takes for outgoing connections: one could take it meanwhile.
    """
    while True:
        port = 10_000 + secrets.randbelow(22_000)
        if all(_is_free(port + i) for i in range(3)):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
