import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from rvae.config import ReaderConfig
from rvae.data.readers import read
from rvae.errors import FieldError


@pytest.fixture
def table(tmp_path):
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
def test_a_table_is_a_series_of_its_numeric_columns(table, name):
    dataset = read(table / name, ReaderConfig(label="fault"))
    assert dataset.channels == ("heat", "speed")
    assert dataset.source == ReaderConfig(label="fault", columns=("heat", "speed"))
    (series,) = dataset.series
    np.testing.assert_array_equal(series.values, [[1, 10], [np.nan, 20], [3, 30], [4, 40], [5, 50]])
    np.testing.assert_array_equal(series.labels, [False, True, False, False, False])


def test_a_column_tells_series_apart_in_the_order_of_the_file(table):
    dataset = read(table / "t.csv", ReaderConfig(series="machine", columns=("speed",)))
    assert [(s.name, s.values[:, 0].tolist()) for s in dataset.series] == [
        ("b", [10, 20, 30]),
        ("a", [40, 50]),
    ]
    assert all(s.labels is None for s in dataset.series)


def test_rows_of_a_table_are_series(table):
    config = ReaderConfig(layout="rows", columns=("heat", "speed"), label="fault")
    dataset = read(table / "t.csv", config)
    assert dataset.channels == ("value",)
    assert len(dataset.series) == 5
    np.testing.assert_array_equal(dataset.series[1].values, [[np.nan], [20]])
    assert dataset.series[1].labels.all()


@pytest.mark.parametrize(
    ("shape", "layout", "series", "points", "channels"),
    [
        ((6,), "series", 1, 6, 1),
        ((6, 2), "series", 1, 6, 2),
        ((4, 6, 2), "series", 4, 6, 2),
        ((4, 6), "rows", 4, 6, 1),
    ],
)
def test_arrays_are_read_by_their_dimensions(tmp_path, shape, layout, series, points, channels):
    array = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    np.save(tmp_path / "a.npy", array)
    dataset = read(tmp_path / "a.npy", ReaderConfig(layout=layout))
    assert len(dataset.series) == series
    assert dataset.series[0].values.shape == (points, channels)
    np.testing.assert_array_equal(
        np.concatenate([s.values for s in dataset.series]).ravel(), array.ravel()
    )


def test_decimals_and_large_integers_are_numbers(tmp_path):
    columns = {
        "price": pa.array([1.25, 2.5]).cast(pa.decimal128(10, 2)),
        "time": pa.array([1763640000000000001, 1763640000000000003]),
    }
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    dataset = read(tmp_path / "t.parquet", ReaderConfig())
    assert dataset.channels == ("price", "time")
    np.testing.assert_allclose(dataset.series[0].values[:, 0], [1.25, 2.5])


@pytest.mark.parametrize("labels", [np.array([0, 1, 0]), np.eye(3, 5)])
def test_an_npz_holds_labels_a_series_or_a_point(tmp_path, labels):
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 5, 2)), y=labels)
    dataset = read(tmp_path / "a.npz", ReaderConfig(label="y"))
    expected = np.broadcast_to(labels.reshape(3, -1), (3, 5))
    np.testing.assert_array_equal([s.labels for s in dataset.series], expected != 0)


def _broken(folder):
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
    ],
)
def test_what_cannot_be_read_names_its_field(tmp_path, name, options, field):
    _broken(tmp_path)
    with pytest.raises(FieldError) as caught:
        read(tmp_path / name, ReaderConfig(**options))
    assert caught.value.field == field
    assert "\n" not in str(caught.value)
