"""A worker's sign of life, which its supervisor reads from shared memory.

A file per process holds a count that a thread raises all the time, and what the main thread is busy
with: a stopped process counts no further, and one that is stuck stays busy longer than expected.
Times are those of CLOCK_MONOTONIC, which all processes of a machine share.
"""

import logging
import mmap
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Final

__all__ = ["BEAT_SECONDS", "Beat", "Heartbeat", "read_heartbeat"]

BEAT_SECONDS = 0.1

# Numbers of the file, each of them one store or load of a processor. The start comes last, as it is
# written after the expectation that goes with it, and read after it.
NUMBER: Final = "d"
COUNT, EXPECTED, SINCE, NUMBERS = range(4)
NUMBER_BYTES = 8

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Beat:
    """What a process said of itself.

    Attributes:
        count: A number that grows every `BEAT_SECONDS`.
        busy_since: Time by `time.monotonic` at which it began its work; None if it has none.
        expected_seconds: Seconds that it expects the work to take.
    """

    count: int
    busy_since: float | None
    expected_seconds: float


class Heartbeat:
    """Shows that this process is alive, as long as it is.

    A folder that is missing, or is removed, does no harm: the process works, and nobody sees it.

    Args:
        folder: Folder of the files, each named after the number of its process.
    """

    def __init__(self, folder: Path) -> None:
        self._numbers = memoryview(_shared(folder)).cast(NUMBER)
        self._numbers[COUNT] = 1
        Thread(target=self._count, name="heartbeat", daemon=True).start()

    @contextmanager
    def busy(self, expected_seconds: float) -> Iterator[None]:
        """Say that this process works, and for how long it expects to; not within each other."""
        self._numbers[EXPECTED] = expected_seconds
        self._numbers[SINCE] = time.monotonic()
        try:
            yield
        finally:
            self._numbers[SINCE] = 0.0

    def _count(self) -> None:
        while True:
            time.sleep(BEAT_SECONDS)
            self._numbers[COUNT] += 1


def read_heartbeat(path: Path) -> Beat | None:
    """What a process said of itself; None if there is no such file."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if len(content) != NUMBERS * NUMBER_BYTES:
        return None
    numbers = memoryview(content).cast(NUMBER)
    return Beat(int(numbers[COUNT]), numbers[SINCE] or None, numbers[EXPECTED])


def _shared(folder: Path) -> mmap.mmap:
    path = folder / str(os.getpid())
    unfinished = path.with_suffix(".unfinished")
    try:
        unfinished.write_bytes(bytes(NUMBERS * NUMBER_BYTES))
        with unfinished.open("r+b") as file:
            shared = mmap.mmap(file.fileno(), 0)
        unfinished.replace(path)  # whole from the beginning, also over that of an older process
    except OSError as error:
        logger.warning("No heartbeat: %s", error)
        return mmap.mmap(-1, NUMBERS * NUMBER_BYTES)
    return shared
