"""A guard before pyarrow: inspects an untrusted Arrow stream before it is decoded.

Why this exists: nothing in pyarrow bounds rows, compression or dictionaries before decoding.

Arrow checks that offsets stay within the stream. It does not mind that a few bytes stand for many:
compressed buffers, fields or texts that are referred to again and again, counts that it allocates
for, dictionaries that grow with every batch. Such a stream is refused here, by reading the headers
of its messages (https://arrow.apache.org/docs/format/Columnar.html) and nothing else. Nothing
outside this module knows of flatbuffers.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from rvae.errors import MalformedError, require, require_readable

__all__ = ["EXPECTED", "MAX_CELLS", "MAX_COLUMNS", "MAX_NAME", "Extent", "FlatTable", "inspect"]

MAX_COLUMNS = 4096
MAX_CELLS = 1 << 21  # as floats 16 MB
MAX_BATCHES = 1024
# Columns of batches and dictionaries, each of which takes 0.1 ms, even if it is empty.
MAX_PIECES = 1 << 14
MAX_NAME = 1 << 10  # bytes
MAX_METADATA = 1 << 20  # bytes, of a message
PAIR = 24  # minimum bytes of two texts, without their letters
MAX_DICTIONARIES = 1 << 28  # bytes, counted for each column and batch that uses them

CONTINUATION = 0xFFFFFFFF
SCHEMA, DICTIONARY, BATCH = 1, 2, 3

# Arrow's numbers for the types of columns: supported types, and names of others for errors.
COLUMN_TYPES = {1: "null", 2: "int", 3: "float", 5: "text", 6: "bool", 7: "decimal", 8: "date"}
COLUMN_TYPES |= {10: "timestamp", 20: "large text", 24: "text view"}
TIMESTAMP, TEXT_VIEW, TEXTS = 10, 24, {5, 20, 24}
OTHER_TYPES = {4: "binary", 9: "time of day", 11: "interval", 12: "list", 13: "struct", 14: "union"}
OTHER_TYPES |= {15: "fixed-size binary", 16: "fixed-size list", 17: "map", 18: "duration"}
OTHER_TYPES |= {19: "large binary", 21: "large list", 22: "run-end-encoded", 23: "binary view"}
EXPECTED = "expected numbers, text, timestamps or dates"


class FlatTable:
    """A table in a flatbuffer: a few of its fields, read before anything else trusts it.

    A wrong offset may lead to anything, but never out of the buffer: then struct.error is raised.
    In a buffer that a verifier accepts, fields are what its reader takes them for.
    """

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    @classmethod
    def root(cls, data: bytes) -> Self:
        """The table of a whole buffer."""
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
        """Number of entries of a vector, or of bytes of a text; 0 if it is left out."""
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
        """Positions of the entries of a vector in the buffer."""
        place = self._target(slot)
        first = 0 if place is None else place + 4
        return range(first, first + width * self.size(slot), width)

    def _target(self, slot: int) -> int | None:
        place = self._place(slot)
        return None if place is None else place + _number(self.data, place, "<I")

    def _place(self, slot: int) -> int | None:
        """Position of a field in the buffer."""
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


@dataclass(frozen=True)
class Extent:
    """What a stream stands for, whatever its own length is.

    Attributes:
        cells: Number of its values.
        letters: Bytes of its texts, at the most, where a text may be referred to by many rows.
    """

    cells: int
    letters: int


def inspect(stream: bytes) -> Extent:
    """Refuse what is not an Arrow stream of flat columns, or would cost too much to decode.

    Raises:
        MalformedError: If the stream as a whole is invalid or too large.
        FieldError: If a column is.
    """
    try:
        return _inspect(stream)
    except struct.error:
        raise MalformedError("body", "is not an Arrow stream: it is damaged") from None


def _inspect(stream: bytes) -> Extent:
    messages = _messages(stream)
    kind, schema, _ = next(messages, (None, None, 0))
    if kind != SCHEMA or schema is None:
        raise MalformedError("body", "is not an Arrow stream: it does not begin with a schema")
    identities = _schema(schema)
    columns = schema.size(1)
    views = sum(field.number(2, "<B") == TEXT_VIEW for field in schema.tables(1))
    cells = batches = pieces = effort = letters = 0
    dictionaries: dict[int, int] = {}
    for kind, header, size in messages:
        if kind == DICTIONARY:
            identity, data = header.number(0, "<q"), header.table(1)
            _require(data is not None, "a dictionary is empty")
            _require(not header.number(2, "<B"), "write dictionaries whole, not as deltas")
            cells += _rows(data)
            dictionaries[identity] = size
            pieces += 1
        else:
            _require(kind == BATCH, "it holds messages other than batches of rows")
            cells += _rows(header) * columns
            batches += 1
            pieces += columns
            shared = sum(dictionaries.get(identity, 0) for identity in identities)
            effort += shared
            letters += _rows(header) * (shared + views * size)
        _require(cells <= MAX_CELLS, f"it holds more than {MAX_CELLS} values")
        _require(batches <= MAX_BATCHES, f"it holds more than {MAX_BATCHES} batches: send fewer")
        _require(pieces <= MAX_PIECES, "it holds too many batches for this number of columns")
        _require(effort <= MAX_DICTIONARIES, "its dictionaries are too large for its batches")
    return Extent(cells, letters)


def _messages(stream: bytes) -> Iterator[tuple[int, FlatTable, int]]:
    """Kind and header of every message, and how many bytes of data follow."""
    at = 0
    while at < len(stream):
        marker, size = struct.unpack_from("<Ii", stream, at)
        _require(marker == CONTINUATION, "it is no stream, or damaged")
        if size == 0:
            return
        at += 8
        # Numbers that do not lie on multiples of eight bytes are more than a processor may take.
        _require(0 < size <= MAX_METADATA and size % 8 == 0, "it is damaged, or names are too long")
        metadata = stream[at : at + size]
        message = FlatTable.root(metadata)
        length = message.number(3, "<q")
        at += size + length
        _require(length >= 0 and length % 8 == 0, "it is damaged")
        _require(at <= len(stream), "it ends early")
        header = message.table(2)
        if header is None:
            raise MalformedError("body", "is not an Arrow stream: it is damaged")
        _texts([message], 4, size)
        yield message.number(1, "<B"), header, length


def _schema(schema: FlatTable) -> list[int]:
    """Check the columns; the dictionaries they use, a number for each such column."""
    _require(schema.number(0, "<h") == 0, "it is big-endian")
    _require(schema.size(1) > 0, "it holds no columns")
    _require(schema.size(1) <= MAX_COLUMNS, f"it holds more than {MAX_COLUMNS} columns")
    identities, left, fields = [], len(schema.data), []
    for field in schema.tables(1):
        fields.append(field)
        left -= field.size(0)
        _require(left >= 0, "its names are too long")
        _require(field.size(0) <= MAX_NAME, f"a column's name is longer than {MAX_NAME} bytes")
        try:
            name = f"columns.{field.text(0).decode()}"
        except UnicodeDecodeError:
            raise MalformedError("body", "holds a column name that is not UTF-8") from None
        number, kind = field.number(2, "<B"), field.table(3)
        types = COLUMN_TYPES | OTHER_TYPES
        require(
            number in COLUMN_TYPES and field.size(5) == 0 and kind is not None,
            name,
            f"holds {types.get(number, 'something unknown')}, {EXPECTED}",
        )
        if number == TIMESTAMP and kind is not None:
            require(
                kind.size(1) <= MAX_NAME and kind.text(1).isascii(), name, "is of an unknown zone"
            )
        encoding = field.table(4)
        if encoding is not None:
            require(number in TEXTS, name, f"is coded {COLUMN_TYPES[number]}, expected text")
            identities.append(encoding.number(0, "<q"))
    _texts([schema], 2, left)
    _texts(fields, 6, left)
    return identities


def _rows(batch: FlatTable | None) -> int:
    """The number of rows in the header of a batch."""
    if batch is None:
        return 0
    rows = batch.number(0, "<q")
    _require(0 <= rows <= MAX_CELLS, f"it holds more than {MAX_CELLS} values")
    _require(batch.table(3) is None, "it is compressed: write it without compression")
    # Arrow makes room for as many buffers as these counts ask for.
    views = batch.size(4)
    _require(views <= MAX_COLUMNS, "it is damaged")
    counts = batch.longs(4)
    buffers = batch.size(2)
    _require(all(0 <= count <= buffers for count in counts), "it is damaged")
    _require(sum(counts) <= buffers, "it is damaged")
    return rows


def _texts(tables: list[FlatTable], slot: int, left: int) -> None:
    """Refuse pairs of texts that are longer in sum than the message that holds them."""
    for table in tables:
        _require(table.size(slot) * PAIR <= left, "its metadata are too long")
        for pair in table.tables(slot):
            left -= PAIR + pair.size(0) + pair.size(1)
            _require(left >= 0, "its metadata are too long")


def _require(condition: bool, message: str) -> None:
    require_readable(condition, "body", f"is not an Arrow stream that can be read: {message}")
