"""Folds of the data, and what is left without each."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from rvae.config import DataConfig
from rvae.data.folds import can_leave_out, leave_out
from rvae.data.series import Series
from rvae.data.windows import Splits, window_starts
from rvae.errors import FieldError


def series(length: int, name: str = "s", anomalies: Sequence[int] = ()) -> Series:
    """A series whose value at each step is the step."""
    labels = np.zeros(length, dtype=bool)
    labels[list(anomalies)] = True
    return Series(np.arange(length, dtype=float)[:, None], name, labels if any(labels) else None)


def cut(lengths: Sequence[int]) -> list[Series]:
    """A series that was cut at holes; its values go on counting."""
    whole = series(sum(lengths))
    borders = pairwise(np.cumsum([0, *lengths]).tolist())
    pieces = [whole.steps(slice(*border), f"s/{i}") for i, border in enumerate(borders)]
    return [replace(piece, origin="s") for piece in pieces]


def starts(part: Sequence[Series], window: int, stride: int = 1) -> list[int]:
    """Values at the first steps of all windows."""
    return [
        int(np.asarray(s.values)[start, 0])
        for s in part
        for start in window_starts(len(s), window, stride).tolist()
    ]


def points(part: Sequence[Series]) -> set[int]:
    return {int(value) for s in part for value in np.asarray(s.values)[:, 0]}


def require_no_leak(fold: Splits, window: int) -> None:
    """A window at least between every point of the fold and those that its model is made of."""
    held_out, training = points(fold.calibration), points(fold.training)
    for part in (training, points(fold.validation)):
        assert all(min(abs(p - min(held_out)), abs(p - max(held_out))) > window for p in part)
        assert not any(min(held_out) <= p <= max(held_out) for p in part)
    assert not training & points(fold.validation)


@pytest.mark.parametrize("folds", [2, 4, 5, 9])
@pytest.mark.parametrize("stride", [1, 3, 12])
def test_every_window_is_held_out_once_from_a_model_that_sees_none_of_its_points(
    folds: int, stride: int
) -> None:
    data, window = [series(1200)], 20
    parts = leave_out(data, DataConfig("x", stride=stride), window, 0, folds)
    assert len(parts) == folds
    found = [start for fold in parts for start in starts(fold.calibration, window, stride)]
    assert found == [s for s in range(0, 1181) if s % stride == 0]
    for fold in parts:
        require_no_leak(fold, window)
        assert all(start % stride == 0 for start in starts(fold.training, window, stride))
        assert all(start % stride == 0 for start in starts(fold.validation, window, stride))


def test_all_that_is_a_window_away_from_a_fold_is_used() -> None:
    window = 10
    for fold in leave_out([series(1000)], DataConfig("x"), window, 0, 4):
        held_out = points(fold.calibration)
        low, high = min(held_out) - window, max(held_out) + window
        far = {p for p in range(1000) if p < low or p > high}
        used = points(fold.training) | points(fold.validation)
        assert used <= far
        assert len(far - used) <= window  # the gap between training and validation
        share = len(points(fold.validation)) / len(used)
        assert share == pytest.approx(0.15, abs=0.01)


@pytest.mark.parametrize("seed", range(25))
def test_holes_and_anomalies_change_nothing_about_that(seed: int) -> None:
    """Every normal window is held out once, whatever is between."""
    random = np.random.default_rng(seed)
    folds, stride = int(random.integers(2, 7)), int(random.integers(1, 5))
    lengths = [500, *random.integers(1, 150, random.integers(1, 6)).tolist()]
    window = 8
    data = cut([400, *lengths])
    data = [replace(piece, labels=random.random(len(piece)) < 0.01) for piece in data]
    config = DataConfig("x", stride=stride)
    parts = leave_out(data, config, window, 0, folds)
    normal = []
    for piece in data:
        first = int(np.asarray(piece.values)[0, 0])
        flags = np.asarray(piece.labels)
        normal += [
            first + start
            for start in range(0, len(piece) - window + 1, stride)
            if not flags[start : start + window].any()
        ]
    # A normal stretch begins at a multiple of the stride: no window that starts there is missed.
    found = [start for fold in parts for start in starts(fold.calibration, window, stride)]
    assert found == normal
    for fold in parts:
        require_no_leak(fold, window)


def test_folds_have_windows_of_whole_windows_lengths() -> None:
    """A rest of less than a window's length would be no evidence of its own."""
    window = 40
    parts = leave_out([series(600)], DataConfig("x"), window, 0, 4)
    counts = [len(starts(fold.calibration, window)) for fold in parts]
    assert all(count % window == 0 for count in counts[:-1])
    assert max(counts) < 2 * min(counts)


def test_a_series_too_short_to_lose_a_fold_belongs_to_one_as_a_whole() -> None:
    short = [series(30, f"short{i}") for i in range(3)]
    parts = leave_out([series(1000, "long"), *short], DataConfig("x"), 20, 0, 2)
    owners = [{s.name for s in fold.calibration} for fold in parts]
    assert owners == [{"long", "short0", "short2"}, {"long", "short1"}]
    for fold in parts:
        names = {s.name for s in fold.calibration} - {"long"}
        assert not names & {s.name for s in (*fold.training, *fold.validation)}
        assert {s.name for s in fold.training} - {"long"} == {s.name for s in short} - names


def test_whole_series_are_dealt_to_folds() -> None:
    many = [series(30, str(i)) for i in range(21)]
    parts = leave_out(many, DataConfig("x"), 10, 3, 4)
    names = [[s.name for s in fold.calibration] for fold in parts]
    assert sorted(map(len, names)) == [5, 5, 5, 6]
    assert sorted((n for fold in names for n in fold), key=int) == [str(i) for i in range(21)]
    for fold, held_out in zip(parts, names, strict=True):
        rest = [s.name for s in (*fold.training, *fold.validation)]
        assert sorted([*rest, *held_out], key=int) == [str(i) for i in range(21)]
        assert len(fold.validation) == round(0.15 * len(rest))
    again = leave_out(many, DataConfig("x"), 10, 3, 4)
    assert [[s.name for s in fold.calibration] for fold in again] == names
    in_order = leave_out(many, DataConfig("x", split="order"), 10, 3, 4)
    assert [s.name for s in in_order[0].calibration] == [str(i) for i in range(6)]


@pytest.mark.parametrize(
    ("data", "window", "folds", "said"),
    [
        ([series(100)], 20, 5, r"at most|data\.window \d+"),
        ([series(30)], 20, 4, "training.folds 1"),
        ([series(400, anomalies=range(60, 400))], 10, 4, "more normal data"),
    ],
)
def test_too_little_data_is_said_with_what_is_possible(
    data: list[Series], window: int, folds: int, said: str
) -> None:
    with pytest.raises(FieldError, match=said) as caught:
        leave_out(data, DataConfig("x", split="time"), window, 0, folds)
    assert caught.value.field == "training.folds"


def test_the_error_names_what_works() -> None:
    with pytest.raises(FieldError) as caught:
        leave_out([series(300)], DataConfig("x"), 40, 0, 5)
    window = int(str(caught.value).split("data.window ")[1].split(",")[0])
    assert not can_leave_out([series(300)], DataConfig("x"), window + 1, 5)
    assert leave_out([series(300)], DataConfig("x"), window, 0, 5)


@pytest.mark.parametrize(("count", "folds", "said"), [(4, 5, "at most 4"), (2, 2, "must be 1")])
def test_there_must_be_a_series_for_each_fold(count: int, folds: int, said: str) -> None:
    few = [series(50, str(i)) for i in range(count)]
    with pytest.raises(FieldError, match=said) as caught:
        leave_out(few, DataConfig("x", split="random"), 10, 0, folds)
    assert caught.value.field == "training.folds"
