from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, ipc

from rvae.errors import FieldError, MalformedError
from rvae.inference import export
from rvae.serving.contract.formats.tables import read_arrow, read_csv, write_arrow, write_csv
from tests.support.arrow_streams import coded, stream

LIMIT = 1 << 20  # bytes of an answer

MILLION = 1_000_000


def of_all_kinds() -> pa.Table:
    return pa.table(
        {
            "float": [1.5, None, -2.0],
            "half": np.array([1, 2, 3], np.float16),
            "int": pa.array([1, None, 3], pa.int8()),
            "uint": pa.array([1, 2**64 - 1, None], pa.uint64()),
            "bool": [True, None, False],
            "decimal": pa.array([1, 2, None], pa.decimal256(40, 1)),
            "null": pa.nulls(3),
            "date": pa.array([1, 2, 3], pa.int32()).cast(pa.date32()),
            "time": pa.array([1, None, 3], pa.timestamp("ms", "Mars/Phobos")),
            "text": ["a", None, "b"],
            "large": pa.array(["a", None, "b"], pa.large_string()),
            "view": pa.array(["a" * 20, None, "b"], pa.string_view()),
            "coded": pa.array(["a", None, "a"]).dictionary_encode(),
        }
    )


def used(table: pa.Table) -> None:
    """What later code makes of a table."""
    for column in table.columns:
        if pa.types.is_string(column.type):
            column.dictionary_encode().to_pylist()
        elif not pa.types.is_temporal(column.type):
            column.cast(pa.float64(), safe=False).to_numpy()


@pytest.mark.parametrize(
    ("body", "columns"),
    [
        (b"a,b\n1,2.5\n3,\n", {"a": [1, 3], "b": [2.5, None]}),
        (b"a,b\r\n1,x\r\n", {"a": [1], "b": ["x"]}),
        (b"a,b\r1,2\r3,4", {"a": [1, 3], "b": [2, 4]}),
        (b"\n\n\xef\xbb\xbfa\n1\n", {"\ufeffa": [1]}),
        (b"\xef\xbb\xbfa,b\n1,2\n", {"a": [1], "b": [2]}),
        ("größe,b\n1,ö\n".encode(), {"größe": [1], "b": ["ö"]}),
        (b'"a ""x"", y","b\nc"\n1,"2\n3"\n', {'a "x", y': [1], "b\nc": ["2\n3"]}),
        (b"1,2\n3,4\n", {"1": [3], "2": [4]}),
        (b"a,b", {"a": [], "b": []}),
        (b"a,b\n\n\n", {"a": [], "b": []}),
        (b"a\ninf\n1e400\nNaN\n", {"a": [np.inf, np.inf, None]}),
        (b"a\n99999999999999999999999\n1\n", {"a": [1e23, 1.0]}),
        (b'a\n"\n' + b"," * MILLION, {"a": ["\n" + "," * MILLION]}),
        (b"a\n" + b"1\n" * 100_000 + b"x\n", {"a": ["1"] * 100_000 + ["x"]}),
    ],
)
def test_a_csv_is_read(body: bytes, columns: dict[str, Any]) -> None:
    table = read_csv(body)
    assert table.to_pydict() == columns
    used(table)


def test_a_csv_has_the_types_that_training_takes_it_to_have(tmp_path: Path) -> None:
    text = b"n,f,w,t,b,e\n1,1.5,NA,2026-01-31T12:00:00,true,\n2,2,,2026-01-31T12:01:00,false,\n"
    (tmp_path / "x.csv").write_bytes(text)
    expected = csv.read_csv(tmp_path / "x.csv")
    table = read_csv(text)
    assert table.to_pydict() == expected.to_pydict()
    assert table.schema.field("t").type == pa.timestamp("us")
    assert table.drop(["t"]).schema == expected.drop(["t"]).schema


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "empty lines"),
        (b"\n" * (6 * MILLION), "empty lines"),
        (b"a,b\n1,2\n3\n", "Expected 2 columns, got 1"),
        (b"a,b\n1,\0002\n", "zero byte"),
        ("a,b\n1,2\n".encode("utf-16"), "zero byte"),
        ("a,b\nä,2\n".encode("latin-1"), "UTF-8"),
        ("a\nä".encode()[:-1], "UTF-8"),
        (b'a,b\n"1,2\n3,4\n', "not valid CSV"),
        (b'"a,b\n1,2\n', "first line"),
        (b'"a"b,c\n1,2\n', "first line"),
        (b"x" * (6 * MILLION), "first line"),
        (b"," * 5000 + b"\n1\n", "5001 columns"),
        (b"," * (3 * MILLION) + b"\n1\n", "first line is longer"),
        (b"\n" * 1000 + b"," * (3 * MILLION), "first line is longer"),
        (b'"a\n' + b"," * 5000 + b'",b' + b",c" * 5000 + b"\n1,2\n", "5002 columns"),
        (b"a\r" + b"," * MILLION, "Expected 1 columns"),
        (b"a,b\n" + b"," * (6 * MILLION), "cells"),
        (b"a\n" + b"\r" * (6 * MILLION), "cells"),
        (b"a\n" + b"x\n" * (2 * MILLION), "too much text"),
        (b"x" * 2000 + b"\n1\n", "name is longer"),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else None,
)
def test_what_is_no_csv_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=message) as caught:
        read_csv(body)
    assert caught.value.field == "body"
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    ("body", "name"), [(b"a,b,b\n1,2,3\n", "b"), (b"a,b\n1,12:00:00\n", "b"), (b",\n1,2\n", "")]
)
def test_a_column_of_a_csv_that_is_of_no_use_is_named(body: bytes, name: str) -> None:
    with pytest.raises(FieldError) as caught:
        read_csv(body)
    assert caught.value.field == f"columns.{name}"


def test_columns_of_all_kinds_are_read_from_a_stream() -> None:
    table = of_all_kinds()
    found = read_arrow(stream(table))
    text = ["text", "large", "view", "coded"]
    assert {found.schema.field(name).type for name in text} == {pa.string()}
    assert found.schema.field("time").type == pa.timestamp("us", "UTC")
    assert found["time"].cast(pa.int64()).to_pylist() == [1000, None, 3000]
    rest = [name for name in table.column_names if name != "time"]
    assert found.select(rest).to_pydict() == table.select(rest).to_pydict()
    used(found)


def test_a_stream_of_several_batches_or_none_is_read() -> None:
    table = of_all_kinds()
    assert read_arrow(stream(table, 1)).to_pydict() == read_arrow(stream(table)).to_pydict()
    empty = read_arrow(stream(table.slice(0, 0)))
    assert (empty.num_rows, empty.column_names) == (0, table.column_names)
    used(empty)


def test_a_file_of_arrow_is_read_as_the_stream_in_it() -> None:
    sink = pa.BufferOutputStream()
    table = pa.table({"a": [1.5, None], "b": ["x", "y"]})
    with ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    assert read_arrow(sink.getvalue().to_pybytes()).equals(table)


def test_a_dictionary_may_be_replaced() -> None:
    table = pa.table({"a": pa.chunked_array([coded("x", 2), coded("y", 1)])})
    assert read_arrow(stream(table)).to_pydict() == {"a": ["x", "x", "y"]}


def deep() -> pa.Array:
    array = pa.array([1.0])
    for _ in range(50):
        array = pa.StructArray.from_arrays([array], ["x"])
    return array


@pytest.mark.parametrize(
    "array",
    [
        pa.array([b"x"]),
        pa.array([b"x"], pa.binary_view()),
        pa.array([[1.0]]),
        pa.array([[1.0]], pa.list_(pa.float64(), 1)),
        pa.array([{"x": 1}]),
        deep(),
        pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8())),
        pa.array([1], pa.duration("s")),
        pa.array([1], pa.time32("s")),
        pa.array([1, 2]).dictionary_encode(),
        pa.RunEndEncodedArray.from_arrays(pa.array([2**31 - 1], pa.int32()), pa.array([1.0])),
        pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])]),
        pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1], pa.int8())),
        pa.array([2**62], pa.timestamp("s")),
        pa.array([2**62], pa.timestamp("us")),
        pa.array([2**31 - 1], pa.int32()).cast(pa.date32()),
        pa.array([1], pa.timestamp("us", "z" * 2000)),
    ],
    ids=lambda array: str(array.type)[:20],
)
def test_a_column_of_a_stream_that_is_of_no_use_is_named(array: pa.Array) -> None:
    fine = pa.nulls(len(array))
    with pytest.raises(FieldError) as caught:
        read_arrow(stream({"fine": fine, "odd": array}))
    assert caught.value.field == "columns.odd"


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(FieldError, match="two columns") as caught:
        read_arrow(stream(pa.table([[1], [2]], names=["a", "a"])))
    assert caught.value.field == "columns.a"


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_text_that_is_not_utf8_is_refused(kind: pa.DataType) -> None:
    body = stream({"a": pa.array(["word" * 5], kind)}).replace(b"wordword", b"wor\xffword")
    with pytest.raises(FieldError):
        read_arrow(body)


def test_a_stream_that_is_cut_or_damaged_is_refused_or_read() -> None:
    body = stream(of_all_kinds().slice(0, 2))
    read, refused = 0, 0
    cut = [body[:end] for end in range(len(body))]
    damaged = [
        body[:at] + bytes([value]) + body[at + 1 :]
        for at in range(len(body))
        for value in (body[at] ^ 0x80, body[at] ^ 1)
    ]
    for odd in cut + damaged:
        try:
            used(read_arrow(odd))
            read += 1
        except FieldError:
            refused += 1
    assert refused > len(cut) > 0
    assert read > 0


COLUMNS = {
    "time": np.array(["2026-01-31T12:00:00", "2026-01-31T12:00:01.5"], "M8[us]"),
    "start": np.array([0, 1]),
    "score": np.array([0.5, np.nan]),
    "is_anomaly": np.array([True, False]),
    "word": np.array(['say "a", b', "c"], object),
    "channel": pa.array([None, "c"], pa.string()),
    "list": ["x", "y"],
}


def test_csv_is_written_as_files_are(tmp_path: Path) -> None:
    export.write(tmp_path / "x.csv", [COLUMNS])
    assert write_csv(COLUMNS, LIMIT) == (tmp_path / "x.csv").read_bytes()


def test_csv_gets_a_column_for_each_number_of_a_row() -> None:
    text = write_csv({"a": np.array([1, 2]), "z": np.array([[1.5, np.nan], [2.5, 3.5]])}, LIMIT)
    assert text == b'"a","z_0","z_1"\n1,1.5,\n2,2.5,3.5\n'
    with pytest.raises(FieldError, match="z") as caught:
        write_csv({"z": np.zeros((2, 3, 4))}, LIMIT)
    assert caught.value.field == "output"


def test_a_stream_holds_what_was_written() -> None:
    cube = np.arange(12.0).reshape(2, 3, 2)
    cube[1, 2, 1] = np.nan
    table = ipc.open_stream(write_arrow(COLUMNS | {"z": cube[0].T, "cube": cube})).read_all()
    assert table["score"].to_pylist() == [0.5, None]
    assert table["channel"].to_pylist() == [None, "c"]
    assert table["z"].to_pylist() == cube[0].T.tolist()
    assert table.schema.field("cube").type == pa.list_(pa.list_(pa.float64(), 2), 3)
    assert table["cube"].to_pylist()[1] == [[6, 7], [8, 9], [10, None]]
    np.testing.assert_array_equal(table["time"].to_numpy(), COLUMNS["time"])


def test_what_was_written_is_read_again() -> None:
    flat = {name: COLUMNS[name] for name in ("time", "start", "score", "is_anomaly", "word")}
    for table in (read_csv(write_csv(flat, LIMIT)), read_arrow(write_arrow(flat))):
        assert table["score"].to_pylist() == [0.5, None]
        assert table["word"].to_pylist() == ['say "a", b', "c"]
        np.testing.assert_array_equal(table["time"].to_numpy(), flat["time"])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["1", "", "3"], [1, None, 3]),
        (["", "", "3"], [None, None, 3]),
        (["1", '""', "3"], [1, None, 3]),
        (["1", '"2"', "", '"3"'], [1, 2, None, 3]),
        (["1", "3", "", ""], [1, 3]),  # files may end in empty lines
    ],
)
def test_an_empty_line_is_a_missing_value_of_a_single_column(
    cells: list[str], read: list[int | None], end: str
) -> None:
    for last in ("", end):
        text = f"heat{end}{end.join(cells)}{last}"
        assert read_csv(text.encode())["heat"].to_pylist() == read
    two = f"heat,speed{end}1,2{end}{end}3,4{end}"  # it has not two values
    assert read_csv(two.encode())["heat"].to_pylist() == [1, 3]


def test_a_csv_is_written_no_further_than_its_limit() -> None:
    columns = {"a": np.full(1_000_000, 0.123456789), "b": np.zeros(1_000_000)}
    with pytest.raises(FieldError, match="over the limit of 100000"):
        write_csv(columns, 100_000)
    few = {name: values[:1000] for name, values in columns.items()}
    assert len(write_csv(few, 100_000)) < 100_000
