"""Untrusted bytes → checked pyarrow tables, and columns → the bytes of a table.

Reading any bytes ends within about a second and takes at most a hundred megabytes. pyarrow costs a
server 40 MB and a tenth of a second: import this module only when a table is received.
"""

import codecs
import csv
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv
from pyarrow import ipc

from rvae.data.columns import column_array, table_of
from rvae.errors import FieldError, MalformedError, require, require_readable
from rvae.serving.contract.formats.arrow_guard import (
    EXPECTED,
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_NAME,
    inspect,
)
from rvae.serving.contract.sizes import require_small_enough

__all__ = ["read_arrow", "read_csv", "write_arrow", "write_csv"]

MAX_HEADER = 1 << 18  # bytes in which a CSV's names have to be

# Memory that text may take as strings of Python: an overhead each, and up to four bytes per byte.
MAX_TEXT, TEXT_OVERHEAD, BYTES_PER_BYTE = 1 << 26, 64, 4

# Cells of a CSV after which its size is looked at: a megabyte of numbers.
WRITTEN_AT_ONCE = 1 << 16

FILE_MAGIC = b"ARROW1\0\0"  # a stream and an index to it follow
MICROSECONDS = pa.timestamp("us")
# Years that have four digits, in microseconds.
FIRST, LAST = np.array(["0001-01-01", "9999-12-31"], "M8[us]").astype(np.int64).tolist()


def read_csv(body: bytes) -> pa.Table:
    """Read a CSV in UTF-8 whose first line names its columns.

    Returns:
        Columns of integers, floats, truth values, text, timestamps and dates, by what they hold.

    Raises:
        MalformedError: If it is not such a CSV.
        FieldError: If a column cannot be used.
    """
    _require_utf8(body)
    names, start = _header(body)
    # pyarrow takes four bytes for each cell before it knows what to make of it.
    cells = sum(body.count(end, start) for end in (b",", b"\n", b"\r"))
    _require(cells <= MAX_CELLS, f"holds more than {MAX_CELLS} cells")
    # An empty line is a missing value where a line has but one, and not at the end, as in files.
    alone = len(names) == 1
    end = len(body.rstrip(b"\r\n")) if alone else len(body)
    if start >= end:
        return _checked(pa.table([pa.nulls(0)] * len(names), names=names))
    try:
        table = arrow_csv.read_csv(
            pa.py_buffer(memoryview(body)[start:end]),
            # One block, so that a column's type is that of all its cells.
            arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=end - start),
            arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=not alone),
        )
    except (pa.ArrowException, OSError) as error:
        raise MalformedError("body", f"is not valid CSV: {_short(error)}") from None
    return _checked(table)


def read_arrow(body: bytes) -> pa.Table:
    """Read an Arrow stream, or file, of flat columns that are not compressed.

    Returns:
        Columns of integers, floats, truth values, decimals, text, timestamps in microseconds,
        dates and nulls; text of any layout comes as plain strings, zoned timestamps in UTC.

    Raises:
        MalformedError: If it is not such a stream.
        FieldError: If a column cannot be used.
    """
    _require(len(body) > 0, "the body is empty")
    stream = body.removeprefix(FILE_MAGIC)
    inspect(stream)
    try:
        with ipc.open_stream(stream, options=ipc.IpcReadOptions(use_threads=False)) as reader:
            table = reader.read_all()
        table.validate()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise MalformedError("body", f"is not a valid Arrow stream: {_short(error)}") from None
    return _checked(table)


def write_csv(columns: Mapping[str, Any], limit: int) -> bytes:
    """Columns (N,) and (N, D) → CSV, each (N, D) as D numbered columns.

    Raises:
        FieldError: If a column has more axes, or the CSV has more bytes than the limit.
    """
    names, arrays = [], []
    for name, values in columns.items():
        if not isinstance(values, np.ndarray) or values.ndim == 1:
            names.append(name)
            arrays.append(column_array(values))
            continue
        require(
            values.ndim == 2, "output", f"{name} cannot be written as CSV: accept another format"
        )
        names.extend(f"{name}_{number}" for number in range(values.shape[1]))
        arrays.extend(column_array(column) for column in values.T)
    table, sink = pa.table(arrays, names=names), pa.BufferOutputStream()
    rows = max(1, WRITTEN_AT_ONCE // len(names))
    with arrow_csv.CSVWriter(sink, table.schema) as writer:
        for start in range(0, table.num_rows, rows):
            writer.write_table(table.slice(start, rows))
            require_small_enough(sink.tell(), limit)
    return sink.getvalue().to_pybytes()


def write_arrow(columns: Mapping[str, Any]) -> bytes:
    """Columns (N, …) → an Arrow stream, with axes after the first as lists of fixed size."""
    table = table_of(columns)
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _require_utf8(body: bytes) -> None:
    """Refuse other encodings, piece by piece: one string could take four times as much."""
    _require(len(body) > 0, "the body is empty")
    _require(b"\0" not in body, "is not text in UTF-8: it holds a zero byte")
    decoder = codecs.getincrementaldecoder("utf-8")()
    pieces = range(0, len(body), 1 << 16)
    try:
        for start in pieces:
            decoder.decode(body[start : start + pieces.step], final=start == pieces[-1])
    except UnicodeDecodeError as error:
        raise MalformedError("body", f"is not text in UTF-8: {error.reason}") from None


def _header(body: bytes) -> tuple[list[str], int]:
    """The names of the columns, and where in the body the rows begin.

    pyarrow allocates a column per comma of the first line. With names, it refuses rows with another
    number of cells.
    """
    text = body[:MAX_HEADER].decode("utf-8-sig", errors="ignore")
    lines = io.StringIO(text, newline="")
    try:
        names = next((record for record in csv.reader(lines, strict=True) if record), None)
    except csv.Error as error:
        raise MalformedError("body", f"is not valid CSV: in its first line {error}") from None
    if names is None:
        raise MalformedError("body", "is not valid CSV: it holds only empty lines")
    whole = lines.tell() < len(text) or len(body) <= MAX_HEADER
    _require(whole, f"is not valid CSV: its first line is longer than {MAX_HEADER} bytes")
    _require(len(names) <= MAX_COLUMNS, f"has {len(names)} columns, the maximum is {MAX_COLUMNS}")
    short = max(map(len, names)) <= MAX_NAME
    _require(short, f"has a column whose name is longer than {MAX_NAME} characters")
    mark = len(codecs.BOM_UTF8) if body.startswith(codecs.BOM_UTF8) else 0
    return names, mark + len(text[: lines.tell()].encode())


def _checked(table: pa.Table) -> pa.Table:
    """A table whose columns later code can use as they are."""
    names: set[str] = set()
    columns = {}
    words = 0
    for field, column in zip(table.schema, table.columns, strict=True):
        place = f"columns.{field.name}"
        require(field.name not in names, place, "is the name of two columns")
        names.add(field.name)
        try:
            if _is_text(field.type):
                words += _weight(column, MAX_TEXT - words)
                column = _strings(column)
                column.validate(full=True)  # of views it does not look at the encoding
            else:
                column.validate(full=True)
                column = _plain(column, place)
        except (pa.ArrowException, LookupError) as error:
            raise FieldError(place, f"cannot be read: {_short(error)}") from None
        columns[field.name] = column
    return pa.table(columns)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(test(kind) for test in tests)


def _plain(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """A column of numbers, times or nulls."""
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        # A zone is only a label, which this machine may not know.
        zoned = pa.types.is_timestamp(kind) and kind.tz is not None
        rounds = pa.types.is_timestamp(kind) and kind.unit == "ns"
        times = column.cast(pa.timestamp("us", "UTC") if zoned else MICROSECONDS, safe=not rounds)
        ends = pc.min_max(times.cast(pa.int64())).as_py()
        within = ends["min"] is None or (ends["min"] >= FIRST and ends["max"] <= LAST)
        require(within, name, "holds a time that is not in the years 1 to 9999")
        return column if pa.types.is_date(kind) else times
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
    usable = any(test(kind) for test in (*tests, pa.types.is_decimal, pa.types.is_null))
    require(usable, name, f"holds {kind}, {EXPECTED}")
    return column


def _weight(column: pa.ChunkedArray, limit: int) -> int:
    """Memory of a column of text, once its words are strings of Python.

    Raises:
        MalformedError: If it is more than a limit.
    """
    weight = 0
    for chunk in column.chunks:
        coded = pa.types.is_dictionary(chunk.type)
        words = chunk.dictionary if coded else chunk
        if pa.types.is_string_view(words.type):
            # Views may all show the same words, so that even to validate them would take too long.
            length = int(np.abs(_shown(words)).sum())
            _require(length * BYTES_PER_BYTE <= MAX_TEXT, "holds too much text")
        chunk.validate(full=True)
        if coded:
            lengths = _lengths(words)[chunk.indices.drop_null().to_numpy(zero_copy_only=False)]
        else:
            lengths = _lengths(words)
        weight += TEXT_OVERHEAD * len(chunk) + BYTES_PER_BYTE * int(lengths.sum())
        _require(weight <= limit, "holds too much text")
    return weight


def _shown(words: pa.Array) -> NDArray[np.int64]:
    """Length of each view in bytes; arbitrary where it is null."""
    if len(words) == 0:
        return np.empty(0, np.int64)
    views = np.frombuffer(words.buffers()[1], np.int32, 4 * len(words), 16 * words.offset)
    return views[::4].astype(np.int64)


def _lengths(words: pa.Array) -> NDArray[np.int64]:
    if pa.types.is_string_view(words.type):
        return _shown(words)
    return pc.binary_length(words).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)


def _strings(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text of any layout as plain strings."""
    if not pa.types.is_dictionary(column.type):
        return column.cast(pa.string())
    chunks = [chunk.dictionary.cast(pa.string()).take(chunk.indices) for chunk in column.chunks]
    return pa.chunked_array(chunks, pa.string())


def _short(error: BaseException) -> str:
    """The beginning of a message of pyarrow, which may go on with much of the body."""
    return str(error).partition("\n")[0][:200]


def _require(condition: bool, message: str) -> None:
    require_readable(condition, "body", message)
