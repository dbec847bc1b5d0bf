"""What an Arrow stream would make of memory and time, found out before it is decoded.

Arrow checks that offsets stay in what was sent. It does not mind that a few bytes stand for many:
compressed buffers, fields or texts that are referred to again and again, counts that it allocates
for, dictionaries that grow with every batch. Here such a stream is refused.
"""

import struct
from collections.abc import Iterator

from rvae.errors import MalformedError, require, require_readable
from rvae.serving.contract.flatbuffer import Flat

__all__ = ["CELLS", "COLUMNS", "EXPECTED", "NAME", "inspect"]

COLUMNS = 4096
CELLS = 1 << 21  # as floats 16 MB
BATCHES = 1024
PIECES = 1 << 14  # columns of batches and dictionaries, each of which takes 0.1 ms, even if empty
NAME = 1 << 10  # bytes
METADATA = 1 << 20  # bytes, of a message
PAIR = 24  # bytes that two texts take at least beside their letters
DICTIONARIES = 1 << 28  # bytes, counted again for each column and batch that uses them

CONTINUATION = 0xFFFFFFFF
SCHEMA, DICTIONARY, BATCH = 1, 2, 3

# Arrow's numbers for the types of a column: those that can be taken, and names for others.
FLAT = {1: "null", 2: "int", 3: "float", 5: "text", 6: "bool", 7: "decimal", 8: "date"}
FLAT |= {10: "timestamp", 20: "large text", 24: "text view"}
TIMESTAMP, TEXTS = 10, {5, 20, 24}
OTHERS = {4: "binary", 9: "time of day", 11: "interval", 12: "list", 13: "struct", 14: "union"}
OTHERS |= {15: "fixed-size binary", 16: "fixed-size list", 17: "map", 18: "duration"}
OTHERS |= {19: "large binary", 21: "large list", 22: "run-end-encoded", 23: "binary view"}
EXPECTED = "expected numbers, text, timestamps or dates"


def inspect(stream: bytes) -> None:
    """Refuse what is no Arrow stream of flat columns, or would take more than it is worth.

    Raises:
        MalformedError: If the stream as a whole is of no use.
        FieldError: If a column is.
    """
    try:
        _inspect(stream)
    except struct.error:
        raise MalformedError("body", "is not an Arrow stream: it is damaged") from None


def _inspect(stream: bytes) -> None:
    messages = _messages(stream)
    kind, schema, _ = next(messages, (None, None, 0))
    if kind != SCHEMA or schema is None:
        raise MalformedError("body", "is not an Arrow stream: it does not begin with a schema")
    identities = _schema(schema)
    columns = schema.size(1)
    cells = batches = pieces = effort = 0
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
            _require(kind == BATCH, "it holds something else than batches of rows")
            cells += _rows(header) * columns
            batches += 1
            pieces += columns
            effort += sum(dictionaries.get(identity, 0) for identity in identities)
        _require(cells <= CELLS, f"it holds more than {CELLS} values")
        _require(batches <= BATCHES, f"it holds more than {BATCHES} batches: send fewer")
        _require(pieces <= PIECES, "it holds too many batches of so many columns")
        _require(effort <= DICTIONARIES, "its dictionaries are too large for so many batches")


def _messages(stream: bytes) -> Iterator[tuple[int, Flat, int]]:
    """Kind and header of every message, and how many bytes of data follow."""
    at = 0
    while at < len(stream):
        marker, size = struct.unpack_from("<Ii", stream, at)
        _require(marker == CONTINUATION, "it is no stream, or damaged")
        if size == 0:
            return
        at += 8
        # Numbers that do not lie on multiples of eight bytes are more than a processor may take.
        _require(0 < size <= METADATA and size % 8 == 0, "it is damaged, or names are too long")
        metadata = stream[at : at + size]
        message = Flat.root(metadata)
        length = message.number(3, "<q")
        at += size + length
        _require(length >= 0 and length % 8 == 0, "it is damaged")
        _require(at <= len(stream), "it ends early")
        header = message.table(2)
        if header is None:
            raise MalformedError("body", "is not an Arrow stream: it is damaged")
        _texts([message], 4, size)
        yield message.number(1, "<B"), header, length


def _schema(schema: Flat) -> list[int]:
    """Check the columns; the dictionaries they use, a number for each such column."""
    _require(schema.number(0, "<h") == 0, "it is big-endian")
    _require(schema.size(1) > 0, "it holds no columns")
    _require(schema.size(1) <= COLUMNS, f"it holds more than {COLUMNS} columns")
    identities, left, fields = [], len(schema.data), []
    for field in schema.tables(1):
        fields.append(field)
        left -= field.size(0)
        _require(left >= 0, "its names are too long")
        _require(field.size(0) <= NAME, f"a column's name is longer than {NAME} bytes")
        try:
            name = f"columns.{field.text(0).decode()}"
        except UnicodeDecodeError:
            raise MalformedError("body", "names a column in something else than UTF-8") from None
        number, kind = field.number(2, "<B"), field.table(3)
        known = FLAT | OTHERS
        require(
            number in FLAT and field.size(5) == 0 and kind is not None,
            name,
            f"holds {known.get(number, 'something unknown')}, {EXPECTED}",
        )
        if number == TIMESTAMP and kind is not None:
            require(kind.size(1) <= NAME and kind.text(1).isascii(), name, "is of an unknown zone")
        encoding = field.table(4)
        if encoding is not None:
            require(number in TEXTS, name, f"is a dictionary of {FLAT[number]}, expected text")
            identities.append(encoding.number(0, "<q"))
    _texts([schema], 2, left)
    _texts(fields, 6, left)
    return identities


def _rows(batch: Flat | None) -> int:
    """How many rows a batch says to have."""
    if batch is None:
        return 0
    rows = batch.number(0, "<q")
    _require(0 <= rows <= CELLS, f"it holds more than {CELLS} values")
    _require(batch.table(3) is None, "it is compressed: write it without compression")
    # Arrow makes room for as many buffers as these counts ask for.
    views = batch.size(4)
    _require(views <= COLUMNS, "it is damaged")
    counts = batch.longs(4)
    buffers = batch.size(2)
    _require(all(0 <= count <= buffers for count in counts), "it is damaged")
    _require(sum(counts) <= buffers, "it is damaged")
    return rows


def _texts(tables: list[Flat], slot: int, left: int) -> None:
    """Refuse pairs of texts that are longer together than the message is that they come in."""
    for table in tables:
        _require(table.size(slot) * PAIR <= left, "its metadata are too long")
        for pair in table.tables(slot):
            left -= PAIR + pair.size(0) + pair.size(1)
            _require(left >= 0, "its metadata are too long")


def _require(condition: bool, message: str) -> None:
    require_readable(condition, "body", f"is not an Arrow stream that can be read: {message}")
