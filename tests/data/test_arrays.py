from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.config import ReaderConfig
from rvae.data.readers import read
from rvae.data.vocabulary import Vocabulary


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
