"""A few fields of a flatbuffer, read before anything else trusts it."""

import struct
from collections.abc import Iterator
from typing import Self

__all__ = ["Flat"]


class Flat:
    """A table in a flatbuffer.

    An offset that lies may lead to anything, but never out of the buffer: then struct.error is
    raised. In a buffer that a verifier accepts, fields are what its reader takes them for.
    """

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    @classmethod
    def root(cls, data: bytes) -> Self:
        """The table that a buffer is of."""
        return cls(data, _number(data, 0, "<I"))

    def number(self, slot: int, layout: str) -> int:
        """A number of some layout of `struct`; 0 if it is left out."""
        place = self._place(slot)
        return 0 if place is None else _number(self.data, place, layout)

    def table(self, slot: int) -> Self | None:
        """A table; None if it is left out."""
        place = self._target(slot)
        return None if place is None else type(self)(self.data, place)

    def size(self, slot: int) -> int:
        """How many entries a vector has, or bytes a text; 0 if it is left out."""
        place = self._target(slot)
        return 0 if place is None else _number(self.data, place, "<I")

    def text(self, slot: int) -> bytes:
        """A text; empty if it is left out."""
        place = self._target(slot)
        return b"" if place is None else self.data[place + 4 : place + 4 + self.size(slot)]

    def tables(self, slot: int) -> Iterator[Self]:
        """The tables of a vector; its size is for the caller to look at first."""
        for at in self._entries(slot, 4):
            yield type(self)(self.data, at + _number(self.data, at, "<I"))

    def longs(self, slot: int) -> tuple[int, ...]:
        """The numbers of 64 bits of a vector."""
        entries = self._entries(slot, 8)
        return struct.unpack_from(f"<{len(entries)}q", self.data, entries.start)

    def _entries(self, slot: int, width: int) -> range:
        """Where the entries of a vector are in the buffer."""
        place = self._target(slot)
        first = 0 if place is None else place + 4
        return range(first, first + width * self.size(slot), width)

    def _target(self, slot: int) -> int | None:
        place = self._place(slot)
        return None if place is None else place + _number(self.data, place, "<I")

    def _place(self, slot: int) -> int | None:
        """Where a field is in the buffer."""
        fields = self.at - _number(self.data, self.at, "<i")
        entry = 4 + 2 * slot
        if entry >= _number(self.data, fields, "<H"):
            return None
        offset = _number(self.data, fields + entry, "<H")
        return self.at + offset if offset else None


def _number(data: bytes, at: int, layout: str) -> int:
    if at < 0:  # struct would count from the end
        raise struct.error("an offset points before the buffer")
    return int(struct.unpack_from(layout, data, at)[0])
