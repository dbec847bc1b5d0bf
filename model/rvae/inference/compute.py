"""Resources of a process: memory and processors."""

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = [
    "available_cpus",
    "compute_threads",
    "inference_threads",
    "keep_freed_memory",
    "limited_threads",
    "return_freed_memory",
    "serving_processes",
    "wait_asleep",
]

# Options of mallopt(3).
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8

MAX_THREADS = 8

# Of a server, per model.
MAX_PROCESSES, CPUS_PER_PROCESS = 8, 4

# Files with a control group's limit of processor time, in microseconds: "quota period" in one file
# in version 2, two files in version 1.
CGROUP_2 = Path("/sys/fs/cgroup/cpu.max")
CGROUP_1 = (
    Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
    Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
)


def keep_freed_memory() -> None:
    """Stop glibc from returning large freed blocks to the kernel.

    Every training step allocates and frees megabytes of activations. By default each block is
    mapped, zeroed and unmapped by the kernel: 40 % of the time of training a small LSTM on a CPU.
    Other C libraries are not changed.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(M_MMAP_THRESHOLD, 32 << 20)  # the maximum of glibc
    mallopt(M_TRIM_THRESHOLD, 1 << 30)


def return_freed_memory() -> None:
    """Let glibc return large freed blocks to the kernel at once, and all threads share one heap.

    By default it keeps blocks of megabytes once some were freed, and between them what is too small
    for the next one: a process that passes on large messages takes several times their size. It has
    to be called before threads are started. Other C libraries are not changed.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(M_ARENA_MAX, 1)
    mallopt(M_MMAP_THRESHOLD, 128 << 10)


def wait_asleep() -> None:
    """Let threads that wait for each other sleep, unless the environment says otherwise.

    By default they keep their processors busy while they wait, after every step of every layer. If
    other processes want these, the threads that are waited for get none: a run takes fifteen times
    as long. It is without effect once torch is loaded.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def available_cpus() -> int:
    """Processors that this process may run on, within the limit of its container."""
    allowed = len(os.sched_getaffinity(0))
    try:
        quota, period = (
            CGROUP_2.read_text().split()
            if CGROUP_2.exists()
            else (path.read_text() for path in CGROUP_1)
        )
        limit = int(quota) / int(period)
    except (OSError, ValueError):  # no control group, or "max"
        return allowed
    return max(1, min(allowed, round(limit))) if limit > 0 else allowed


def compute_threads(processes: int = 1) -> int | None:
    """Threads per process; None if OMP_NUM_THREADS is set.

    One processor is left free: if threads wait for a processor, they all wait for each other, and a
    millisecond becomes a hundred. More than a few threads do not make these models faster.
    """
    if "OMP_NUM_THREADS" in os.environ:
        return None
    return max(1, min(MAX_THREADS, (available_cpus() - 1) // processes))


def inference_threads(processes: int = 1) -> int:
    """Threads per process for inference, whose threads sleep while they wait: one per processor.

    OMP_NUM_THREADS overrides it.
    """
    if "OMP_NUM_THREADS" in os.environ:
        return max(1, int(os.environ["OMP_NUM_THREADS"]))
    return max(1, min(MAX_THREADS, available_cpus() // processes))


def serving_processes(models: int) -> int:
    """Processes per model that fit this machine: each has several processors for its threads.

    More processes take more memory, and share requests out in turn, not to the one that is idle;
    fewer would leave processors idle, as Python reads and writes requests in one thread at a time.
    """
    return max(1, min(MAX_PROCESSES, available_cpus() // (CPUS_PER_PROCESS * models)))


@contextmanager
def limited_threads(processes: int = 1) -> Iterator[None]:
    """Compute with as many threads as `compute_threads` says, also in processes started here."""
    import torch  # not by a server without it

    threads, before = compute_threads(processes), torch.get_num_threads()
    if threads is None:
        yield
        return
    torch.set_num_threads(threads)
    # Lightning would choose another number in distributed training.
    os.environ["OMP_NUM_THREADS"] = str(threads)
    try:
        yield
    finally:
        del os.environ["OMP_NUM_THREADS"]
        torch.set_num_threads(before)
