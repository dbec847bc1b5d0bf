"""Whether the server is ready for predictions, in words if it is not."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Health", "full_disks"]

LEAST_FREE = 64 << 20  # bytes: of logs, and of what a new version's archive unpacks


@dataclass(frozen=True)
class Health:
    """The state of a server.

    Attributes:
        ready: Whether every model is ready to answer.
        reasons: Why it is not; or, of one that is ready, what will become a trouble.
    """

    ready: bool
    reasons: tuple[str, ...] = ()


def full_disks(folders: Iterable[Path]) -> list[str]:
    """Words on the folders whose disk is almost full, or that are missing."""
    words = []
    for folder in folders:
        try:
            free = shutil.disk_usage(folder).free
        except OSError as error:
            words.append(f"{folder}: {error.strerror}")
            continue
        if free < LEAST_FREE:
            words.append(f"{folder}: {free >> 20} MiB of the disk are free")
    return words
