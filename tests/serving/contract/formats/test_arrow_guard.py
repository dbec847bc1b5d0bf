"""Arrow streams that would cost more than they are worth are refused before they are decoded."""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import ipc

from rvae.errors import MalformedError
from rvae.serving.contract.formats.arrow_guard import MAX_CELLS, FlatTable
from rvae.serving.contract.formats.tables import read_arrow
from tests.support.arrow_streams import coded, stream, viewed

MILLION = 1_000_000


def replacing(columns: int) -> list[pa.Table]:
    """Two tables of dictionaries that differ, so that each has to replace the other's."""
    names = [f"{i}" for i in range(columns)]
    return [pa.table([coded(word, 1)] * columns, names=names) for word in "xy"]


def with_schema(body: bytes, edit: Callable[[bytearray, Any], None]) -> bytes:
    """A stream whose schema's bytes were edited, by what finds places in them."""
    size = struct.unpack_from("<i", body, 4)[0]
    metadata = bytearray(body[8 : 8 + size])
    edit(metadata, FlatTable.root(bytes(metadata)).table(2))
    return body[:8] + bytes(metadata) + body[8 + size :]


def all_the_last(slot: int) -> Callable[[bytearray, Any], None]:
    """Lets all entries of a vector of the schema be the last one."""

    def edit(metadata: bytearray, schema: Any) -> None:
        *_, last = schema.tables(slot)
        for at in schema._entries(slot, 4):
            struct.pack_into("<I", metadata, at, last.at - at)

    return edit


def big_endian(metadata: bytearray, schema: Any) -> None:
    # The number of fields, 1, serves as what says that the order of bytes is the other one.
    fields = schema.at - struct.unpack_from("<i", metadata, schema.at)[0]
    struct.pack_into("<H", metadata, fields + 4, schema._target(1) - schema.at)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: b"", "is empty"),
        (lambda: b"a,b\n1,2\n", "no stream"),
        (lambda: b'{"data": [1, 2]}', "no stream"),
        (lambda: b"ARROW1\0\0", "begin with a schema"),
        (lambda: stream({}), "no columns"),
        (lambda: stream({"a": np.arange(1000.0)})[:-2000], "ends early"),
        (lambda: stream({"a": np.zeros(20 * MILLION)}, compression="lz4"), "values"),
        (lambda: stream({"a": np.zeros(MILLION)}, compression="zstd"), "compressed"),
        (lambda: stream({"a": coded("x" * 99, 9)}, compression="lz4"), "compressed"),
        (lambda: stream({"a": pa.nulls(MAX_CELLS + 1)}), "values"),
        (lambda: stream({"a": pa.nulls(MAX_CELLS), "b": pa.nulls(MAX_CELLS)}), "values"),
        (lambda: stream({"a": np.zeros(MAX_CELLS + 1, bool)}), "values"),
        (lambda: stream({"a": pa.nulls(77)}).replace(b"\x4d" + bytes(7), b"\xff" * 8), "values"),
        (lambda: stream({"a": np.arange(2000)}, 1), "batches"),
        (lambda: stream({f"{i}": pa.nulls(100) for i in range(1000)}, 1), "batches"),
        (lambda: stream(pa.concat_tables(replacing(60) * 100)), "batches"),
        (lambda: stream({f"{i}": pa.nulls(1) for i in range(5000)}), "columns"),
        (lambda: stream({"a": coded("x" * 5 * MILLION, MILLION)}), "too much text"),
        (lambda: stream({"a": viewed("x" * 5 * MILLION, 60_000)}), "too much text"),
        (lambda: stream({"a": coded("x" * 3 * MILLION, 500)}, 1), "dictionaries"),
        (lambda: stream({f"{i}": coded("a", 900) for i in range(1100)}), "too much text"),
        (lambda: with_schema(stream({"a": [1]}), big_endian), "big-endian"),
        (lambda: stream(pa.table({"n" * 2000: [1]})), "name is longer"),
        (lambda: stream({"ab": [1]}).replace(b"ab\0", b"\xffb\0"), "UTF-8"),
    ],
)
def test_what_is_no_stream_or_a_bomb_is_refused(make: Callable[..., Any], message: str) -> None:
    with pytest.raises(MalformedError, match=message) as caught:
        read_arrow(make())
    assert caught.value.field == "body"
    assert len(caught.value.message) < 300


def test_texts_of_a_schema_that_are_shared_are_refused() -> None:
    pairs = {f"{i:04}": "x" for i in range(1000)} | {"9999": "x" * 100_000}
    body = stream(pa.table({"a": [1]}).replace_schema_metadata(pairs))
    assert read_arrow(body).num_rows == 1
    with pytest.raises(MalformedError, match="metadata are too long"):
        read_arrow(with_schema(body, all_the_last(2)))
    names = {f"{i:04}": pa.nulls(1) for i in range(1000)} | {"x" * 1000: pa.nulls(1)}
    body = stream(names)
    assert read_arrow(body).num_columns == 1001
    with pytest.raises(MalformedError, match="names are too long"):
        read_arrow(with_schema(body, all_the_last(1)))


def test_a_dictionary_that_grows_is_refused() -> None:
    sink, kind = pa.BufferOutputStream(), pa.dictionary(pa.int32(), pa.string())
    options = ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with ipc.new_stream(sink, pa.schema([("a", kind)]), options=options) as writer:
        for words in (["a"], ["a", "b"]):
            array = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), pa.array(words))
            writer.write_batch(pa.record_batch({"a": array}))
    with pytest.raises(MalformedError, match="deltas"):
        read_arrow(sink.getvalue().to_pybytes())


@pytest.mark.parametrize("count", [-1, 2**24, 2**31 - 1, 2**62])
def test_buffers_of_views_that_are_not_there_are_refused(count: int) -> None:
    body = stream({"a": pa.array(["x" * 20] * 3, pa.string_view())})
    one = struct.pack("<q", 1)
    places = [at for at in range(0, len(body), 8) if body[at : at + 8] == one]
    assert len(places) == 1
    at = places[0]
    with pytest.raises(MalformedError, match="damaged"):
        read_arrow(body[:at] + struct.pack("<q", count) + body[at + 8 :])
