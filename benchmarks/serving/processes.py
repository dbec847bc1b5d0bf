"""A server's processes: started alone, weighed, and ended with whatever they have started."""

import ctypes
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from rvae.errors import FieldError

__all__ = ["adopting", "cpu_seconds", "free_ports", "memory", "running"]

# Options of prctl(2).
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

STOP_SECONDS = 40.0
LOOPBACK = "127.0.0.1"
MAX_TRIES = 100


@contextmanager
def adopting() -> Iterator[None]:
    """Become the parent of processes whose parent ends, so that none is lost sight of."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0)


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server, and end it and all that it has started, however the context is left.

    Args:
        command: The server's command.
        environment: Variables besides those of this process.
        folder: Its working and temporary folder.
        log: File for what it prints.
    """
    before = set(_descendants())
    libc = ctypes.CDLL(None)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "TMPDIR": str(folder), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for the benchmark, which then ends the server; if it is killed, so is this.
            start_new_session=True,
            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
        )
    try:
        yield process
    finally:
        _end(process, before)


def memory(process: subprocess.Popen[bytes]) -> tuple[float, float]:
    """Megabytes of a process and its children: proportional set size, resident set size.

    The first counts a page that several processes share once, the second once for each of them.
    """
    pss = rss = 0
    for one in _tree(process):
        with suppress(psutil.NoSuchProcess):  # a helper that has just ended
            info = one.memory_full_info()
            pss, rss = pss + info.pss, rss + info.rss
    return pss / 1e6, rss / 1e6


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Processor time that a process and its children have taken."""
    seconds = 0.0
    for one in _tree(process):
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            seconds += times.user + times.system
    return seconds


def free_ports(count: int) -> int:
    """The first of some neighbouring ports that nothing listens on.

    Raises:
        FieldError: If none are found.
    """
    for _ in range(MAX_TRIES):
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            first = int(probe.getsockname()[1])
        if first + count <= 65535 and all(_is_free(first + i) for i in range(count)):
            return first
    raise FieldError("port", f"found no {count} neighbouring ports that are free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _tree(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    root = psutil.Process(process.pid)
    return [root, *root.children(recursive=True)]


def _descendants() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def _end(process: subprocess.Popen[bytes], before: set[psutil.Process]) -> None:
    """End a server with SIGTERM, then whatever is left with SIGKILL."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    # A process that is just being started is found in the next turn.
    while left := [one for one in _descendants() if one not in before]:
        for one in left:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(left, timeout=STOP_SECONDS)
    process.wait()
