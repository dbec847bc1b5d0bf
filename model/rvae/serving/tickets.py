"""Tickets of requests that somebody still waits for, shared by processes through a file.

The file holds a generation for each slot: odd while its ticket is live, even while the slot is
free. One process issues and withdraws tickets, others look at them: in memory, without a call of
the system.
"""

import mmap
import os
from pathlib import Path
from typing import Final

__all__ = ["TicketReader", "Tickets"]

# One store or load of a processor, as it is aligned: a reader sees the old number or the new one.
GENERATION: Final = "Q"
GENERATION_BYTES = 8


class Tickets:
    """Issues tickets; for one process, and one thread of it.

    Args:
        path: Path of the file, which is made anew.
        slots: Maximum number of live tickets.
    """

    def __init__(self, path: Path, slots: int) -> None:
        path.unlink(missing_ok=True)  # readers of an earlier file keep that
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.truncate(descriptor, slots * GENERATION_BYTES)
            shared = mmap.mmap(descriptor, slots * GENERATION_BYTES)
        finally:
            os.close(descriptor)
        self._generations = memoryview(shared).cast(GENERATION)
        self._free = list(range(slots))

    def issue(self) -> str:
        """A live ticket.

        Raises:
            LookupError: If every slot is taken.
        """
        if not self._free:
            raise LookupError(f"all {len(self._generations)} tickets are taken")
        slot = self._free.pop()
        self._generations[slot] += 1
        return f"{slot}-{self._generations[slot]}"

    def withdraw(self, ticket: str) -> None:
        """End a ticket, so that nobody works for it; without effect if it has ended before."""
        if _is_live(ticket, self._generations):
            slot = int(ticket.partition("-")[0])
            self._generations[slot] += 1
            self._free.append(slot)


class TicketReader:
    """Looks at tickets that another process issues.

    Args:
        path: Path of the file.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            shared = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._generations = memoryview(shared).cast(GENERATION)

    def is_live(self, ticket: str) -> bool:
        """Whether a ticket was not withdrawn; what is no ticket at all is not live."""
        return _is_live(ticket, self._generations)


def _is_live(ticket: str, generations: "memoryview[int]") -> bool:
    slot, _, generation = ticket.partition("-")
    try:
        place, number = int(slot), int(generation)
    except ValueError:
        return False
    return place < len(generations) and number % 2 == 1 and generations[place] == number
