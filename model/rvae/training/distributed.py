"""Processes that train together: one leads and starts the others, and none outlives it."""

import atexit
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Event, Thread

from pytorch_lightning.strategies import DDPStrategy, Strategy

from rvae.errors import FieldError

__all__ = ["joined", "strategy"]

PR_SET_PDEATHSIG = 1  # prctl(2)

# Names the descriptor on which a process says that it has come as far as the leader.
READY = "RVAE_READY"

# Seconds in which whoever waits for a process that failed should notice. Where GPUs wait for each
# other, none ever does.
GRACE = 10.0


def strategy(processes: int) -> Strategy | str:
    """Lightning's way to train in so many processes."""
    if processes == 1:
        return "auto"
    # The others wait while the leader calibrates.
    return DDPStrategy(timeout=timedelta(days=30))


@contextmanager
def joined(processes: int) -> Iterator[None]:
    """Run this program in further processes, and wait until they have come this far.

    LOCAL_RANK tells each process, and Lightning, its number. One that has it already was started
    here, or by torchrun, and starts nobody.

    Ctrl-C is for the leader, which tells the others. An error of the leader ends them.

    Args:
        processes: How many train together, this one included.

    Raises:
        FieldError: If another process fails; that one has said why.
    """
    if READY in os.environ:
        descriptor = int(os.environ.pop(READY))
        os.write(descriptor, b"!")
        os.close(descriptor)
    if processes == 1 or "LOCAL_RANK" in os.environ:
        yield
        return
    others, ready = _start(processes - 1)
    left = Event()
    for other in others:
        Thread(target=_watch, args=(other, others, left), daemon=True).start()
    # The kernel would end them before those that load their windows.
    atexit.register(_wait, others)
    try:
        _wait_until_ready(others, ready)
        yield
    except BaseException as error:
        failure = _failure(others) if isinstance(error, RuntimeError) else None
        for other in others:
            other.kill()
        if failure is None:
            raise
        raise failure from error
    finally:
        left.set()


def _start(count: int) -> tuple[list[subprocess.Popen[bytes]], int]:
    """Other processes, and the descriptor on which they say that they are ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    os.environ |= {"LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    leader, libc = os.getpid(), ctypes.CDLL(None)

    def end_with_leader() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != leader:
            os._exit(1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    ready, said = os.pipe()
    try:
        others = [
            subprocess.Popen(
                [sys.executable, *sys.orig_argv[1:]],
                env=os.environ | {"LOCAL_RANK": str(number), READY: str(said)},
                stdin=subprocess.DEVNULL,
                pass_fds=[said],
                preexec_fn=end_with_leader,
            )
            for number in range(1, count + 1)
        ]
    finally:
        os.close(said)
    return others, ready


def _wait_until_ready(others: Sequence[subprocess.Popen[bytes]], ready: int) -> None:
    # PyTorch would wait for them, too, but deaf to Ctrl-C.
    try:
        for _ in others:
            if not os.read(ready, 1):
                raise RuntimeError("not all processes have come this far")
    finally:
        os.close(ready)


def _watch(
    other: subprocess.Popen[bytes], others: Sequence[subprocess.Popen[bytes]], left: Event
) -> None:
    """End this process where another has failed and nobody notices."""
    if other.wait() != 0 and not left.wait(GRACE):
        print(f"rvae: {_failure(others)}", file=sys.stderr, flush=True)
        os._exit(1)


def _failure(others: Sequence[subprocess.Popen[bytes]]) -> FieldError | None:
    """What is wrong with the others, if one of them fails within moments."""
    for number, other in enumerate(others, 1):
        with suppress(subprocess.TimeoutExpired):
            if status := other.wait(GRACE / 2 / len(others)):
                message = f"process {number} of {len(others) + 1} failed with status {status}"
                return FieldError("training.devices", message)
    return None


def _wait(others: Sequence[subprocess.Popen[bytes]]) -> None:
    for other in others:
        with suppress(subprocess.TimeoutExpired):
            other.wait(GRACE)
