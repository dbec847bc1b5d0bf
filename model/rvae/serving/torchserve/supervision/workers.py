"""Which workers live, and the end of those that hang.

A worker counts its heartbeats up, and says what it is busy with. One that counts no further has
stopped; TorchServe would wait for its answer as long as for that of a slow request. Time is counted
in polls that came when they should: where the machine was suspended, or gave its processors to
others, the supervisor came late as well, and nobody is to blame.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from rvae.serving.heartbeat import Beat, read_heartbeat

__all__ = ["POLL_SECONDS", "Patience", "Workers"]

POLL_SECONDS = 0.1
# Processor seconds of a process that does nothing but sleep and wake.
IDLE_CPU_SECONDS = 0.05
# States of a thread in Linux: it runs, or waits for a processor or for a disk.
WAITING = {"R", "D"}


@dataclass(frozen=True)
class Patience:
    """How long a worker may be silent or busy before it counts as hung.

    Attributes:
        still_seconds: Without a heartbeat, while it uses no processor and waits for none.
        silent_seconds: Without a heartbeat, while it uses the processor: code that lets no other
            thread of Python run.
        busy_seconds: Busy with a batch that was expected to take less than this.
        busy_factor: Busy with a batch, as a multiple of the time expected.
    """

    still_seconds: float = 1.0
    silent_seconds: float = 8.0
    busy_seconds: float = 5.0
    busy_factor: float = 5.0


class Workers:
    """The workers of one TorchServe.

    Args:
        folder: Folder of their heartbeats.
        java: Process id of TorchServe, whose children they are.
        patience: When one of them counts as hung.
    """

    def __init__(self, folder: Path, java: int, patience: Patience) -> None:
        self._folder = folder
        self._java = java
        self._patience = patience
        self._watched: dict[int, _Watched] = {}

    @property
    def living(self) -> frozenset[int]:
        """Process ids of the workers whose heartbeat goes on."""
        most = self._patience.still_seconds / POLL_SECONDS
        return frozenset(pid for pid, one in self._watched.items() if one.silent < most)

    def lives(self, pid: int) -> bool:
        """Whether a worker lives; one without a heartbeat, as long as there is its process.

        A worker has none if its archive is of an older library, or if the disk was full.
        """
        return pid in self.living if pid in self._watched else psutil.pid_exists(pid)

    @property
    def busy(self) -> bool:
        """Whether any of them works on a batch."""
        return any(one.beat.busy_since is not None for one in self._watched.values())

    def folder(self, pid: int) -> Path:
        """Where one of the living has its model."""
        return self._watched[pid].folder

    def folders(self) -> Iterator[Path]:
        """Where the living have their models, even if it has been removed."""
        return (one.folder for one in self._watched.values() if _is_alive(one.process))

    def poll(self, punctual: bool) -> list[str]:
        """Look at every worker; end those that hang, and say so.

        Args:
            punctual: Whether the time since the last poll is the time between polls.
        """
        self._find()
        ended = []
        for pid, one in list(self._watched.items()):
            beats = one.look(punctual)
            if not beats and not _is_alive(one.process):
                self._forget(pid)
            elif (reason := one.hangs(self._patience)) is not None:
                with suppress(psutil.NoSuchProcess):
                    one.process.kill()  # of this process, not of a later one with its number
                self._forget(pid)
                ended.append(f"worker {pid} {reason}")
        return ended

    def close(self) -> None:
        """Watch them no more."""
        for pid in list(self._watched):
            self._forget(pid)

    def _find(self) -> None:
        try:
            names = [path.name for path in self._folder.iterdir()]
        except OSError:
            return  # those that are known can be watched all the same
        for name in names:
            if name.isdecimal() and int(name) not in self._watched:
                self._begin(int(name))

    def _begin(self, pid: int) -> None:
        path = self._folder / str(pid)
        try:
            process = psutil.Process(pid)
            ours = process.ppid() == self._java
            folder = Path(process.cwd())
            descriptor = os.open(path, os.O_RDONLY)
        except (psutil.Error, OSError):
            ours = False
        if ours:
            self._watched[pid] = _Watched(process, folder, descriptor)
        else:
            path.unlink(missing_ok=True)  # of a worker that has ended

    def _forget(self, pid: int) -> None:
        os.close(self._watched.pop(pid).descriptor)
        (self._folder / str(pid)).unlink(missing_ok=True)


class _Watched:
    """A worker, and what it has said.

    Args:
        process: The worker.
        folder: Its working directory: the model's.
        descriptor: Its heartbeat's file, which can be read even when it has been removed.
    """

    def __init__(self, process: psutil.Process, folder: Path, descriptor: int) -> None:
        self.process = process
        self.folder = folder
        self.descriptor = descriptor
        self.beat = Beat(-1, None, 0.0)
        self.silent = 0  # polls since its last heartbeat
        self._busy = 0  # polls since it began its batch
        self._cpu = 0.0  # processor seconds, soon after its last heartbeat

    def look(self, punctual: bool) -> bool:
        """Read its heartbeat; return whether it went on."""
        before = self.beat
        self.beat = read_heartbeat(Path(f"/proc/self/fd/{self.descriptor}")) or before
        beats = self.beat.count != before.count
        self.silent = 0 if beats or not punctual else self.silent + 1
        if self.silent == 2:  # between two heartbeats, a poll often finds the same count
            self._cpu = _cpu_seconds(self.process)
        if self.beat.busy_since is None or self.beat.busy_since != before.busy_since:
            self._busy = 0
        elif punctual:
            self._busy += 1
        return beats

    def hangs(self, patience: Patience) -> str | None:
        """In words, if it does."""
        silent, busy = self.silent * POLL_SECONDS, self._busy * POLL_SECONDS
        if silent >= patience.silent_seconds:
            return f"gave no sign of life for {silent:.0f} s"
        if silent >= patience.still_seconds and self._is_still():
            return f"has stopped: no sign of life for {silent:.0f} s"
        expected = self.beat.expected_seconds
        if busy >= max(patience.busy_seconds, patience.busy_factor * expected):
            return f"works for {busy:.0f} s on what it expected to take {expected:.1f} s"
        return None

    def _is_still(self) -> bool:
        if _cpu_seconds(self.process) - self._cpu >= IDLE_CPU_SECONDS:
            return False
        try:
            threads = Path(f"/proc/{self.process.pid}/task").iterdir()
            # The name of a program, in brackets, may hold anything.
            states = {(one / "stat").read_text().rpartition(")")[2].split()[0] for one in threads}
        except OSError:
            return False  # it is ending
        return states.isdisjoint(WAITING)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
