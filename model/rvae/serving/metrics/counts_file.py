"""The file in which a worker counts, in memory that the reader shares.

It says itself what its numbers mean. Each number is one store or load of a processor, and has one
writer. The writer holds a lock on the file until its process ends, however that ends: who gets the
lock knows that nothing is counted there any more.
"""

import errno
import fcntl
import mmap
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
import orjson
from numpy.typing import NDArray

from rvae.serving.metrics.measures import LAYOUT, NUMBERS

__all__ = ["HALF_LIFE", "SUFFIX", "Contents", "Head", "create", "read", "weight"]

SUFFIX = ".counts"
NUMBER_BYTES = 8
# Seconds after which a value has half of its weight in the drift. A day: over less the hours of a
# day differ from each other, and what changes faster is for the scores to show.
HALF_LIFE = 86_400.0


@dataclass(frozen=True)
class Head:
    """What the numbers of a file mean.

    Attributes:
        model: Name of the model.
        version: Its version.
        channels: Names of its C channels.
        shares: Share of the training values in each bin of each channel; empty if the model does
            not tell.
        flagged_share: Share of normal windows that the model's own threshold flags, at most.
        since: Time by `time.monotonic` at which the `weight` of a value is 1.
    """

    model: str
    version: str
    channels: tuple[str, ...]
    shares: tuple[tuple[float, ...], ...]
    flagged_share: float
    since: float

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """Undo `to_json`.

        Raises:
            ValueError: If it comes from a library that counts otherwise.
        """
        known = orjson.loads(content)
        if known.pop("layout", None) != LAYOUT:
            raise ValueError("the archive of this worker has another version of rvae")
        known["channels"] = tuple(known["channels"])
        known["shares"] = tuple(map(tuple, known["shares"]))
        return cls(**known)

    def to_json(self) -> bytes:
        """The bytes of a JSON object."""
        return orjson.dumps(asdict(self) | {"layout": LAYOUT})

    @property
    def numbers(self) -> int:
        """How many numbers there are: those of every model, missing values by channel, bins."""
        return NUMBERS + len(self.channels) + sum(map(len, self.shares))


@dataclass(frozen=True, eq=False)
class Contents:
    """The numbers of a file.

    Attributes:
        head: What they mean.
        common: What is counted of every model, in its `PLACES` (NUMBERS,).
        missing: Missing values of each channel (C,).
        bins: Weights of the values in the bins of all channels, one channel after another.
    """

    head: Head
    common: NDArray[np.float64]
    missing: NDArray[np.float64]
    bins: NDArray[np.float64]

    @classmethod
    def of(cls, head: Head, numbers: NDArray[np.float64]) -> Self:
        """Views of all numbers (N,)."""
        return cls(head, *np.split(numbers, [NUMBERS, NUMBERS + len(head.channels)]))


def weight(at: float, since: float) -> float:
    """Weight of a value in the drift, by the time at which it came.

    That of later values grows, instead of that of earlier ones being lowered, so that nothing but
    sums is written (Cormode et al. 2009, "Forward decay"). Numbers reach for a thousand half-lives.

    Args:
        at: When it came, by `time.monotonic`.
        since: When a value has the weight 1.
    """
    return 2.0 ** ((at - since) / HALF_LIFE)


def create(folder: Path, head: Head) -> Contents:
    """Begin to count in a new file of a folder, which this process holds until it ends.

    Raises:
        OSError: If it cannot be made.
    """
    start = _start(head)
    path = folder / f"{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
    unfinished = path.with_suffix(".unfinished")
    descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Written, as a hole in a file of a full disk could not be filled later.
        content = start + bytes(NUMBER_BYTES * head.numbers)
        if os.write(descriptor, content) < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(unfinished))
        shared = mmap.mmap(descriptor, 0)  # holds the file open, and so the lock
        unfinished.rename(path)
    finally:
        os.close(descriptor)
    return Contents.of(head, np.frombuffer(shared, np.float64, offset=len(start)))


def read(path: Path) -> tuple[Contents, bool]:
    """What a file holds, and whether that is final, since its writer has ended.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it comes from a library that counts otherwise.
    """
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            is_final = True
        except BlockingIOError:
            is_final = False
        content = file.read()
    length = int.from_bytes(content[:NUMBER_BYTES], "little")
    head = Head.from_json(content[NUMBER_BYTES : NUMBER_BYTES + length])
    numbers = np.frombuffer(content, np.float64, offset=len(_start(head)))
    return Contents.of(head, numbers), is_final


def _start(head: Head) -> bytes:
    """The bytes before the numbers: the length of the head, and the head."""
    content = head.to_json()
    filled = content.ljust(-(-len(content) // NUMBER_BYTES) * NUMBER_BYTES)
    return len(content).to_bytes(NUMBER_BYTES, "little") + filled
