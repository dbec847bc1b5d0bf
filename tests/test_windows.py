import numpy as np
import pytest

from rvae.config import DataConfig
from rvae.data.dataset import WindowDataset
from rvae.data.scaler import Scaler
from rvae.data.series import Series
from rvae.data.windows import every_window, split, window_starts
from rvae.errors import FieldError


def series(length, name="s", anomalies=()):
    """A series whose value at each step is the step."""
    labels = np.zeros(length, dtype=bool)
    labels[list(anomalies)] = True
    return Series(np.arange(length, dtype=float)[:, None], name, labels)


@pytest.mark.parametrize(
    ("length", "stride", "expected"),
    [
        (10, 1, list(range(7))),
        (10, 3, [0, 3, 6]),
        (11, 3, [0, 3, 6, 7]),
        (4, 5, [0]),
        (5, 9, [0, 1]),
    ],
)
def test_windows_cover_every_point(length, stride, expected):
    starts = window_starts(length, 4, stride)
    assert starts.tolist() == expected
    if stride <= 4:
        assert set((starts[:, None] + np.arange(4)).ravel()) == set(range(length))


def test_windows_are_stretches_of_the_series():
    values = np.arange(20).reshape(10, 2)
    windows = every_window(values, 3)
    assert windows.shape == (8, 3, 2)
    for start, window in enumerate(windows):
        np.testing.assert_array_equal(window, values[start : start + 3])


def test_parts_cut_in_time_are_in_order_and_a_window_apart():
    parts = split([series(200)], DataConfig("x", split="time"), window=10, seed=0)
    (training,), (validation,), (calibration,) = parts.training, parts.validation, parts.calibration
    assert training.values[0] == 0
    assert validation.values[0] - training.values[-1] == 11
    assert calibration.values[0] - validation.values[-1] == 11
    assert calibration.values[-1] == 199


def test_a_series_too_short_to_cut_is_learnt_from_as_a_whole():
    parts = split([series(1000, "long"), series(30, "short")], DataConfig("x"), 20, seed=0)
    assert [(s.name, len(s)) for s in parts.training][1] == ("short", 30)
    assert {s.name for s in (*parts.validation, *parts.calibration)} == {"long"}


@pytest.mark.parametrize("how", ["random", "order"])
def test_whole_series_are_dealt_once(how):
    many = [series(10, str(i)) for i in range(40)]
    parts = split(many, DataConfig("x", split=how), window=10, seed=3)
    names = [s.name for part in (parts.training, parts.validation, parts.calibration) for s in part]
    assert sorted(names, key=int) == [str(i) for i in range(40)]
    assert (names == [str(i) for i in range(40)]) == (how == "order")
    assert [len(p) for p in (parts.training, parts.validation, parts.calibration)] == [28, 6, 6]
    again = split(many, DataConfig("x", split=how), window=10, seed=3)
    assert [s.name for s in again.training] == [s.name for s in parts.training]


def test_auto_deals_out_series_where_there_are_many():
    many = split([series(30, str(i)) for i in range(20)], DataConfig("x"), window=10, seed=0)
    assert all(len(s) == 30 for s in many.training)
    few = split([series(100, str(i)) for i in range(3)], DataConfig("x"), window=10, seed=0)
    assert all(len(s) < 100 for s in few.training)


def test_no_part_holds_an_anomalous_point():
    flagged = [5, 50, 51, 170]
    parts = split([series(400, anomalies=flagged)], DataConfig("x", split="time"), 10, seed=0)
    kept = np.concatenate(
        [s.values for part in (parts.training, parts.validation, parts.calibration) for s in part]
    )
    assert not set(flagged) & set(kept.ravel().astype(int))
    assert all(len(s) >= 10 for s in parts.training)
    assert len(parts.training) == 3  # 6 to 49, 52 to 169, 171 on; the 5 points before are too few


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([series(9)], "data.window"),
        ([series(30)], "data"),
        ([series(200, anomalies=range(0, 200, 5))], "data"),
    ],
)
def test_too_little_data_is_said(data, field):
    with pytest.raises(FieldError) as caught:
        split(data, DataConfig("x", split="time"), window=10, seed=0)
    assert caught.value.field == field


def test_training_windows_are_scaled_windows_of_every_series():
    scaler = Scaler((10.0,), (2.0,), (0,))
    dataset = WindowDataset([series(6), series(5)], scaler, 4, 2, calendar=())
    (batch,) = dataset.batches()
    assert len(dataset) == 4
    assert dataset.__getitems__([3, 0]).x.tolist() == batch.x[[3, 0]].tolist()
    assert batch.x[..., 0].tolist() == [
        [-5, -4.5, -4, -3.5],
        [-4, -3.5, -3, -2.5],
        [-5, -4.5, -4, -3.5],
        [-4.5, -4, -3.5, -3],
    ]
