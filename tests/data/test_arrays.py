import io
import struct
from pathlib import Path
from typing import Any, Literal
from zipfile import ZipFile

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.config import ReaderConfig
from rvae.data.inspection import inspect_file
from rvae.data.readers import read
from rvae.data.stored import StoredArray
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError


@pytest.mark.parametrize(
    ("shape", "layout", "series", "points", "channels"),
    [
        ((6,), "series", 1, 6, 1),
        ((6, 2), "series", 1, 6, 2),
        ((4, 6, 2), "series", 4, 6, 2),
        ((4, 6), "rows", 4, 6, 1),
    ],
)
def test_arrays_are_read_by_their_dimensions(
    tmp_path: Path,
    shape: tuple[Any, ...],
    layout: Literal["series", "rows"],
    series: int,
    points: int,
    channels: int,
) -> None:
    array = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    np.save(tmp_path / "a.npy", array)
    dataset = read(tmp_path / "a.npy", ReaderConfig(layout=layout))
    assert len(dataset.series) == series
    assert dataset.series[0].values.shape == (points, channels)
    np.testing.assert_array_equal(
        np.concatenate([s.values for s in dataset.series]).ravel(), array.ravel()
    )


@pytest.mark.parametrize("labels", [np.array([0, 1, 0]), np.eye(3, 5)])
def test_an_npz_holds_labels_a_series_or_a_point(tmp_path: Path, labels: NDArray[Any]) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 5, 2)), y=labels)
    dataset = read(tmp_path / "a.npz", ReaderConfig(label="y"))
    expected = np.broadcast_to(labels.reshape(3, -1), (3, 5))
    np.testing.assert_array_equal([s.labels for s in dataset.series], expected != 0)


def test_an_npz_holds_times_and_classes_a_series_or_a_point(tmp_path: Path) -> None:
    times = np.datetime64("2026-01-01", "s") + np.arange(15).reshape(3, 5)
    kinds = np.array([2, 10, 2])
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 5, 2)), t=times, k=kinds)
    config = ReaderConfig(time="t", classes="k", normal=("2",))
    dataset = read(tmp_path / "a.npz", config)
    assert dataset.vocabulary == Vocabulary({}, ("2", "10"))
    assert [s.classes.tolist() for s in dataset.series] == [[0] * 5, [1] * 5, [0] * 5]
    assert [s.labels.any() for s in dataset.series] == [False, True, False]
    np.testing.assert_array_equal([s.times for s in dataset.series], times)
    np.savez(tmp_path / "b.npz", x=np.zeros((3, 5, 2)), t=times, k=np.full((3, 5), 10.0))
    other = read(tmp_path / "b.npz", config, dataset.vocabulary)
    assert all((s.classes == 1).all() and s.labels.all() for s in other.series)
    np.savez(tmp_path / "c.npz", x=np.zeros((3, 5, 2)), t=times, k=np.array(["2", "x", "y"]))
    other = read(tmp_path / "c.npz", config, dataset.vocabulary)
    assert [s.classes[0] for s in other.series] == [0, -1, -1]


@pytest.mark.parametrize(
    ("array", "viewed"),
    [
        (np.arange(6, dtype=np.float32), True),
        (np.arange(12, dtype=np.int16).reshape(6, 2), True),
        (np.asfortranarray(np.arange(12.0).reshape(6, 2)), False),
        (np.arange(24.0).reshape(2, 6, 2), False),
    ],
)
def test_a_viewed_array_is_the_one_that_is_read(
    tmp_path: Path, array: NDArray[Any], viewed: bool
) -> None:
    np.save(tmp_path / "a.npy", array)
    config = ReaderConfig()
    found = read(tmp_path / "a.npy", config, on_disk=True)
    expected = read(tmp_path / "a.npy", config)
    assert isinstance(found.series[0].values, StoredArray) == viewed
    assert (found.channels, found.source) == (expected.channels, expected.source)
    for one, other in zip(found.series, expected.series, strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(np.asarray(one.values), other.values)


@pytest.mark.parametrize("array", [np.ones(4, bool), np.array(["a"]), np.ones((0, 2)), np.ones(())])
def test_an_array_that_is_refused_is_refused_on_disk(tmp_path: Path, array: NDArray[Any]) -> None:
    np.save(tmp_path / "a.npy", array)
    messages = []
    for on_disk in (False, True):
        with pytest.raises(FieldError) as caught:
            read(tmp_path / "a.npy", ReaderConfig(), on_disk=on_disk)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


GOOD = io.BytesIO()
np.save(GOOD, np.arange(12.0).reshape(6, 2))


@pytest.mark.parametrize("look", [read, inspect_file])
@pytest.mark.parametrize("name", ["readme.txt", "y.npy", "folder/"])
def test_what_is_no_array_in_an_npz_is_named(tmp_path: Path, name: str, look: Any) -> None:
    with ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", GOOD.getvalue())
        archive.writestr(name, b"" if name.endswith("/") else b"hello")
    for config in (ReaderConfig(), ReaderConfig(array="x")):
        with pytest.raises(FieldError, match="which is no array: remove it") as caught:
            look(tmp_path / "a.npz", config)
        assert caught.value.field == "data" and name.removesuffix(".npy") in str(caught.value)


@pytest.mark.parametrize("look", [read, inspect_file])
@pytest.mark.parametrize(
    "shape", ["(True, 6)", "(-1, 6)", "(6.0,)", "(99999999999, 9)", "(9223372036854775807, 9)"]
)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_a_shape_that_no_array_has_is_refused_in_a_line(
    tmp_path: Path, shape: str, look: Any, suffix: str
) -> None:
    line = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(line)) + line + bytes(48)
    if suffix == ".npy":
        (tmp_path / "a.npy").write_bytes(array)
    else:
        with ZipFile(tmp_path / "a.npz", "w") as archive:
            archive.writestr("x.npy", array)
    with pytest.raises(FieldError, match=f"a{suffix}"):
        look(tmp_path / f"a{suffix}", ReaderConfig())
    if suffix == ".npy":
        with pytest.raises(FieldError, match=r"a\.npy"):
            StoredArray.of_npy(tmp_path / "a.npy")
