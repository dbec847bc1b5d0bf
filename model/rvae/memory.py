"""Making the C library keep the memory that a process will want again."""

import ctypes
import platform

__all__ = ["keep_freed_memory"]

# Options of mallopt(3).
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3


def keep_freed_memory() -> None:
    """Stop glibc from handing large freed blocks back to the kernel.

    Every step of training frees and takes megabytes of activations. By default each of them is
    mapped, zeroed and unmapped by the kernel: 40 % of the time of training a small LSTM on a
    processor. Other C libraries are left as they are.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(M_MMAP_THRESHOLD, 32 << 20)  # the largest that glibc takes
    mallopt(M_TRIM_THRESHOLD, 1 << 30)
