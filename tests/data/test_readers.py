from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from rvae.config import ReaderConfig
from rvae.data.readers import read
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two series of three and two steps, with a gap, a word column and labels."""
    content = pa.table(
        {
            "machine": ["b", "b", "b", "a", "a"],
            "note": ["x"] * 5,
            "heat": [1.0, None, 3.0, 4.0, 5.0],
            "speed": [10, 20, 30, 40, 50],
            "fault": [0, 1, 0, 0, 0],
        }
    )
    csv.write_csv(content, tmp_path / "t.csv")
    parquet.write_table(content, tmp_path / "t.parquet")
    return tmp_path


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_table_is_a_series_of_its_numeric_columns(table: Path, name: str) -> None:
    config = ReaderConfig(label="fault", ignore=("machine", "note"))
    dataset = read(table / name, config)
    assert dataset.channels == ("heat", "speed")
    assert dataset.source == replace(config, columns=("heat", "speed"))
    (series,) = dataset.series
    np.testing.assert_array_equal(series.values, [[1, 10], [np.nan, 20], [3, 30], [4, 40], [5, 50]])
    np.testing.assert_array_equal(series.labels, [False, True, False, False, False])


def test_a_column_tells_series_apart_in_the_order_of_the_file(table: Path) -> None:
    dataset = read(table / "t.csv", ReaderConfig(series="machine", columns=("speed",)))
    assert [(s.name, s.values[:, 0].tolist()) for s in dataset.series] == [
        ("b", [10, 20, 30]),
        ("a", [40, 50]),
    ]
    assert all(s.labels is None for s in dataset.series)


@pytest.mark.parametrize("names", [["a", None], [1, None], ["a", ""], [0.5, None]])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_every_row_belongs_to_a_series(tmp_path: Path, names: list[Any], ending: str) -> None:
    path = tmp_path / f"t.{ending}"
    written = pa.table({"heat": [1.5, 2.5], "place": names})
    (csv.write_csv if ending == "csv" else parquet.write_table)(written, path)
    with pytest.raises(FieldError, match=r"'' in .* is no series: 'place' must name") as caught:
        read(path, ReaderConfig(series="place"))
    assert caught.value.field == "reader.series"


def test_what_is_masked_is_missing() -> None:
    (series,) = read(np.ma.masked_equal([1, 9, 3], 9), ReaderConfig()).series
    np.testing.assert_array_equal(series.values, [[1], [np.nan], [3]])


def test_rows_of_a_table_are_series(table: Path) -> None:
    config = ReaderConfig(layout="rows", columns=("heat", "speed"), label="fault")
    dataset = read(table / "t.csv", config)
    assert dataset.channels == ("value",)
    assert len(dataset.series) == 5
    np.testing.assert_array_equal(dataset.series[1].values, [[np.nan], [20]])
    assert dataset.series[1].labels.all()


def test_decimals_and_large_integers_are_numbers(tmp_path: Path) -> None:
    columns = {
        "price": pa.array([1.25, 2.5]).cast(pa.decimal128(10, 2)),
        "time": pa.array([1763640000000000001, 1763640000000000003]),
    }
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    dataset = read(tmp_path / "t.parquet", ReaderConfig())
    assert dataset.channels == ("price", "time")
    np.testing.assert_allclose(dataset.series[0].values[:, 0], [1.25, 2.5])


UNEQUAL = {
    "a.tsv": "2\t1\t2\t3\n1\t4\t5\tNaN\n3\t6\tNaN\tNaN\n",
    "a.txt": "  2.0  1 2 3\n  1.0  4 5 NaN\n  3.0  6 NaN NaN\n",
    "a.ts": "@univariate true\n@equalLength false\n@classLabel true 1 2 3\n@data\n"
    "1,2,3:2\n4,5:1\n6:3\n",
}


@pytest.mark.parametrize("name", UNEQUAL)
def test_files_of_the_archive_are_series_filled_up_to_the_longest(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text(UNEQUAL[name])
    dataset = read(tmp_path / name, ReaderConfig(normal=("1", "2")))
    assert dataset.channels == ("value",)
    assert dataset.source.layout == "rows"
    assert dataset.vocabulary == Vocabulary({}, ("1", "2", "3"))
    np.testing.assert_array_equal(
        [s.values[:, 0] for s in dataset.series], [[1, 2, 3], [4, 5, np.nan], [6, np.nan, np.nan]]
    )
    assert [s.classes.tolist() for s in dataset.series] == [[1] * 3, [0] * 3, [2] * 3]
    assert [s.labels.tolist() for s in dataset.series] == [[False] * 3, [False] * 3, [True] * 3]
    # What reads it makes of it can be read again, also where a normal class does not occur.
    known = Vocabulary({}, ("1", "2", "4"))
    again = read(tmp_path / name, replace(dataset.source, normal=("4",)), known)
    assert [s.classes[0] for s in again.series] == [1, 0, -1]
    assert all(s.labels.all() for s in again.series)


def test_an_archive_file_of_several_channels_needs_no_classes(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text("@dimensions 2\n@classLabel false\n@data\n1,2:3,4\n5:6\n")
    dataset = read(tmp_path / "a.ts", ReaderConfig())
    assert dataset.channels == ("channel_0", "channel_1")
    assert dataset.series[0].values.tolist() == [[1, 3], [2, 4]]
    np.testing.assert_array_equal(dataset.series[1].values, [[5, 6], [np.nan, np.nan]])
    assert dataset.series[0].classes is None
    with pytest.raises(FieldError) as caught:
        read(tmp_path / "a.ts", ReaderConfig(normal=("1",)))
    assert caught.value.field == "reader.normal"


def _broken(folder: Path) -> None:
    np.save(folder / "words.npy", np.array(["a"]))
    np.save(folder / "deep.npy", np.zeros((2, 2, 2, 2)))
    np.save(folder / "none.npy", np.zeros((0, 2)))
    np.save(folder / "infinite.npy", np.array([[0.0, 1.0], [np.inf, 2.0]]))
    np.savez(folder / "two.npz", a=np.zeros(3), b=np.zeros(3))
    np.savez(folder / "uneven.npz", x=np.zeros((3, 5)), y=np.zeros(4))
    np.save(folder / "pickled.npy", np.array([{}], dtype=object), allow_pickle=True)
    (folder / "cut.npy").write_bytes((folder / "deep.npy").read_bytes()[:-9])
    (folder / "cut.npz").write_bytes((folder / "two.npz").read_bytes()[:-30])
    (folder / "empty.csv").write_text("")
    (folder / "header.csv").write_text("a,b\n")
    (folder / "ragged.csv").write_text("a,b\n1,2\n3\n")
    (folder / "words.csv").write_text("a\nx\ny\n")
    (folder / "twice.csv").write_text("a,a\n1,2\n")
    (folder / "index.csv").write_text(",a\n0,1\n1,2\n")
    (folder / "latin.csv").write_bytes("a,b\n1,2\né,3\n4,5\n".encode("latin-1"))
    (folder / "empty_column.csv").write_text("a,b\n,2\n,3\n")
    words = pa.table({"a": pa.array(["1", "2", "x"]).dictionary_encode(), "b": [1, 2, 3]})
    parquet.write_table(words, folder / "dictionary.parquet")
    (folder / "really.npz").write_bytes((folder / "none.npy").read_bytes())
    (folder / "really.npy").write_bytes((folder / "two.npz").read_bytes())
    (folder / "typo.csv").write_text("a,b\n1,2\nbroken,3\n4,5\n")
    (folder / "gaps.csv").write_text("a,y\n1,0\n2,\n")
    (folder / "not.parquet").write_text("hello")
    (folder / "data.txt").write_text("1")
    (folder / "one.tsv").write_text("1\t2\t3\n")
    many = [f"c{i}\t{i}" for i in range(1001)]
    (folder / "names.tsv").write_text("\n".join(many))
    np.save(folder / "narrow.npy", np.zeros((4, 0)))
    beside = {"x": np.zeros((3, 5)), "t": np.arange(15), "k": np.array([1, 2.5, 3])}
    np.savez(folder / "beside.npz", **cast(dict[str, Any], beside))


@pytest.mark.parametrize(
    ("name", "options", "field"),
    [
        ("missing.csv", {}, "data"),
        (".", {}, "data"),
        ("data.txt", {}, "data"),
        ("words.npy", {}, "data"),
        ("deep.npy", {}, "data"),
        ("none.npy", {}, "data"),
        ("pickled.npy", {}, "data"),
        ("cut.npy", {}, "data"),
        ("cut.npz", {}, "data"),
        ("infinite.npy", {}, "channel_0"),
        ("two.npz", {}, "reader.array"),
        ("two.npz", {"array": "c"}, "reader.array"),
        ("two.npz", {"label": "c"}, "reader.label"),
        ("uneven.npz", {"label": "y"}, "reader.label"),
        ("uneven.npz", {"array": "x", "columns": ("one",)}, "reader.columns"),
        ("deep.npy", {"layout": "rows"}, "reader.layout"),
        ("infinite.npy", {"label": "y"}, "reader.label"),
        ("empty.csv", {}, "data"),
        ("header.csv", {}, "data"),
        ("ragged.csv", {}, "data"),
        ("words.csv", {}, "data"),
        ("words.csv", {"columns": ("a",)}, "reader.columns"),
        ("words.csv", {"columns": ("b",)}, "reader.columns"),
        ("words.csv", {"label": "a"}, "data"),
        ("twice.csv", {}, "data"),
        ("index.csv", {}, "reader.columns"),
        ("typo.csv", {}, "a"),
        ("latin.csv", {}, "a"),
        ("empty_column.csv", {}, "a"),
        ("dictionary.parquet", {}, "a"),
        ("really.npz", {}, "data"),
        ("really.npy", {}, "data"),
        ("gaps.csv", {"label": "y"}, "reader.label"),
        ("gaps.csv", {"series": "z"}, "reader.series"),
        ("not.parquet", {}, "data"),
        ("narrow.npy", {}, "data"),
        ("infinite.npy", {"categorical": ("a",)}, "reader.categorical"),
        ("infinite.npy", {"classes": "k"}, "reader.classes"),
        ("infinite.npy", {"time": "t"}, "reader.time"),
        ("infinite.npy", {"normal": ("a",)}, "reader.normal"),
        ("two.npz", {"time": "t", "array": "a"}, "reader.time"),
        ("two.npz", {"classes": "k", "array": "a"}, "reader.classes"),
        ("beside.npz", {"array": "x", "time": "t", "layout": "series"}, "reader.time"),
        ("beside.npz", {"array": "x", "time": "t", "layout": "rows"}, "reader.time"),
        ("beside.npz", {"array": "x", "classes": "k", "layout": "rows"}, "reader.classes"),
        ("one.tsv", {"normal": ("2",)}, "reader.normal"),
        ("one.tsv", {"columns": ("a",)}, "reader.columns"),
        ("one.tsv", {"categorical": ("a",)}, "reader.categorical"),
        ("one.tsv", {"classes": "a"}, "reader.classes"),
        ("names.tsv", {}, "class"),
    ],
)
def test_what_cannot_be_read_names_its_field(
    tmp_path: Path, name: str, options: dict[str, Any], field: str
) -> None:
    _broken(tmp_path)
    with pytest.raises(FieldError) as caught:
        read(tmp_path / name, ReaderConfig(**options))
    assert caught.value.field == field
    assert "\n" not in str(caught.value)
