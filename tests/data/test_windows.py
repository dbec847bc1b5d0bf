from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvae.config import DataConfig
from rvae.data.calendar import calendar_features
from rvae.data.scaler import Scaler
from rvae.data.series import Series
from rvae.data.window_dataset import WindowDataset
from rvae.data.windows import chunks, split, window_starts, window_view, windows_with
from rvae.errors import FieldError


def series(length: int, name: str = "s", anomalies: Iterable[int] = ()) -> Series:
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
def test_windows_cover_every_point(length: int, stride: int, expected: list[int]) -> None:
    starts = window_starts(length, 4, stride)
    assert starts.tolist() == expected
    if stride <= 4:
        assert set((starts[:, None] + np.arange(4)).ravel()) == set(range(length))


@pytest.mark.parametrize("windows", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("stride", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("length", [4, 10, 11])
def test_slabs_have_together_exactly_the_windows_of_the_series(
    length: int, stride: int, windows: int
) -> None:
    found = []
    for first, slab in chunks(series(length), 4, stride, windows):
        starts = window_starts(len(slab), 4, stride)
        assert len(starts) <= windows
        assert slab.values[0, 0] == first
        found += slab.values[starts, 0].tolist()
    assert found == window_starts(length, 4, stride).tolist()


def test_windows_are_stretches_of_the_series() -> None:
    values = np.arange(20).reshape(10, 2)
    windows = window_view(values, 3)
    assert windows.shape == (8, 3, 2)
    for start, window in enumerate(windows):
        np.testing.assert_array_equal(window, values[start : start + 3])


def test_parts_cut_in_time_are_in_order_and_a_window_apart() -> None:
    parts = split([series(200)], DataConfig("x", split="time"), window=10, seed=0)
    (training,), (validation,), (calibration,) = parts.training, parts.validation, parts.calibration
    assert training.values[0] == 0
    assert validation.values[0] - training.values[-1] == 11
    assert calibration.values[0] - validation.values[-1] == 11
    assert calibration.values[-1] == 199


def test_a_series_too_short_to_cut_is_learnt_from_as_a_whole() -> None:
    parts = split([series(1000, "long"), series(30, "short")], DataConfig("x"), 20, seed=0)
    assert [(s.name, len(s)) for s in parts.training][1] == ("short", 30)
    assert {s.name for s in (*parts.validation, *parts.calibration)} == {"long"}


def test_small_shares_of_a_long_enough_series_hold_windows_all_the_same() -> None:
    parts = split([series(70)], DataConfig("x", validation=0.01, calibration=0.01), 10, seed=0)
    assert [len(part[0]) for part in (parts.training, parts.validation, parts.calibration)] == [
        20,
        15,
        15,
    ]


@pytest.mark.parametrize("how", ["random", "order"])
def test_whole_series_are_dealt_once(how: Literal["time", "random", "order"]) -> None:
    many = [series(10, str(i)) for i in range(40)]
    parts = split(many, DataConfig("x", split=how), window=10, seed=3)
    names = [s.name for part in (parts.training, parts.validation, parts.calibration) for s in part]
    assert sorted(names, key=int) == [str(i) for i in range(40)]
    assert (names == [str(i) for i in range(40)]) == (how == "order")
    assert [len(p) for p in (parts.training, parts.validation, parts.calibration)] == [28, 6, 6]
    again = split(many, DataConfig("x", split=how), window=10, seed=3)
    assert [s.name for s in again.training] == [s.name for s in parts.training]


def test_auto_deals_out_series_where_there_are_many() -> None:
    many = split([series(30, str(i)) for i in range(20)], DataConfig("x"), window=10, seed=0)
    assert all(len(s) == 30 for s in many.training)
    few = split([series(100, str(i)) for i in range(3)], DataConfig("x"), window=10, seed=0)
    assert all(len(s) < 100 for s in few.training)


def test_no_part_holds_an_anomalous_point() -> None:
    flagged = [5, 50, 51, 170]
    parts = split([series(400, anomalies=flagged)], DataConfig("x", split="time"), 10, seed=0)
    kept = np.concatenate(
        [s.values for part in (parts.training, parts.validation, parts.calibration) for s in part]
    )
    assert not set(flagged) & set(kept.ravel().astype(int))
    assert all(len(s) >= 10 for s in parts.training)
    assert len(parts.training) == 3  # 6 to 49, 52 to 169, 171 on; the 5 points before are too few


def pieces(*lengths: int, origin: str = "s") -> list[Series]:
    """A series that was cut at holes."""
    whole, ends = series(sum(lengths)), np.cumsum([0, *lengths])
    cut = [whole.steps(slice(*ends[i : i + 2]), f"{origin}/{i}") for i in range(len(lengths))]
    return [replace(piece, origin=origin) for piece in cut]


def steps(part: list[Series]) -> list[list[int]]:
    """First and last step of each stretch."""
    return [np.asarray(s.values)[[0, -1], 0].astype(int).tolist() for s in part]


def test_a_series_with_holes_is_split_like_one_without() -> None:
    """As far as stretches between holes are long enough."""
    parts = split(pieces(100, 195, 5, 100), DataConfig("x"), 10, seed=0)
    # Of 395 steps, two gaps of 10 are lost; 15 % of the others are 56. Five hold no window.
    assert steps(parts.calibration) == [[344, 399]]
    assert steps(parts.validation) == [[273, 294], [300, 333]]
    assert steps(parts.training) == [[0, 99], [100, 262]]


def test_a_part_is_never_lost_to_a_hole_in_it() -> None:
    """A window and a half at the end, cut in the middle, would hold no window."""
    for last in range(1, 40):
        parts = split(pieces(300 - last, last), DataConfig("x"), 20, seed=0)
        for part in (parts.training, parts.validation, parts.calibration):
            assert sum(len(s) // 20 for s in part) >= 1


def test_pieces_are_dealt_out_with_the_series_that_they_belong_to() -> None:
    wholes = [piece for i in range(20) for piece in pieces(12, 12, 12, origin=f"m{i}")]
    parts = split(wholes, DataConfig("x"), 10, seed=0)
    owners = [
        {s.origin for s in part} for part in (parts.training, parts.validation, parts.calibration)
    ]
    assert [len(names) for names in owners] == [14, 3, 3]
    assert len(set.union(*owners)) == 20
    # Many pieces of one series are still one series, which is cut in time.
    one = split(pieces(*[12] * 30), DataConfig("x"), 10, seed=0)
    assert max(s[1] for s in steps(one.training)) < min(s[0] for s in steps(one.calibration))


def test_pieces_without_a_window_are_left_out() -> None:
    parts = split([*pieces(9, 200), series(200, "t")], DataConfig("x"), 10, seed=0)
    assert steps(parts.training)[0][0] == 9
    with pytest.raises(FieldError, match=r"s/1 with 9 steps.*--reader\.every") as caught:
        split(pieces(8, 9, 7), DataConfig("x"), 10, seed=0)
    assert caught.value.field == "data.window"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([series(9)], "data.window"),
        ([series(30)], "data"),
        ([series(200, anomalies=range(0, 200, 5))], "data"),
        ([series(200, anomalies=range(200))], "reader.label"),
    ],
)
def test_too_little_data_is_said(data: list[Series], field: str) -> None:
    with pytest.raises(FieldError) as caught:
        split(data, DataConfig("x", split="time"), window=10, seed=0)
    assert caught.value.field == field


def test_training_windows_are_scaled_windows_of_every_series() -> None:
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


def test_the_class_of_a_window_is_that_of_most_of_its_steps() -> None:
    classes = np.array([2, 2, 2, 0, 0, 0, -1, -1, -1, 1])
    given = Series(np.arange(10.0)[:, None], classes=classes)
    unclassed = Series(np.arange(4.0)[:, None])
    dataset = WindowDataset([given, unclassed], Scaler((0.0,), (1.0,), (0,)), 4, 1, calendar=())
    (batch,) = dataset.batches()
    # Of equally many the lower one, where a class that is not known is the lowest.
    assert batch.label.tolist() == [2, 0, 0, 0, -1, -1, -1, -1]


def test_the_time_of_a_window_is_that_of_its_steps() -> None:
    times = np.datetime64("2026-01-05", "us") + np.arange(30) * np.timedelta64(1, "h")
    given = Series(np.zeros((30, 1)), times=times)
    scaler = Scaler((0.0,), (1.0,), (0,))
    batch = WindowDataset([given], scaler, 4, 10, ("day", "week")).__getitems__([2, 1])
    expected = calendar_features(times, ("day", "week"))
    np.testing.assert_array_equal(batch.time[0], expected[20:24])
    np.testing.assert_array_equal(batch.time[1], expected[10:14])
    nothing = WindowDataset([given], scaler, 4, 10, ()).__getitems__([0])
    assert nothing.time.shape == (1, 4, 0)


@given(st.integers(0, 1000), st.integers(2, 6), st.integers(1, 8))
def test_windows_with_a_flag_are_those_that_hold_one(seed: int, window: int, stride: int) -> None:
    flags = np.random.default_rng(seed).random(20) < 0.15
    starts = window_starts(20, window, stride)
    expected = [flags[start : start + window].any() for start in starts]
    assert windows_with(flags, starts, window).tolist() == expected
