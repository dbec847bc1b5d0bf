"""Series are cut at holes, and windows never reach over one."""

from typing import Any

import numpy as np
import pytest

from rvae.config import ReaderConfig
from rvae.data.holes import cut_at_holes, long_enough, short_pieces
from rvae.data.scaler import Scaler
from rvae.data.series import Dataset, Series
from rvae.data.time_steps import time_steps
from rvae.data.window_dataset import WindowDataset
from rvae.errors import FieldError

START, MINUTE = np.datetime64("2026-01-01", "us"), np.timedelta64(1, "m")


def series(minutes: Any, name: str = "m") -> Series:
    steps = np.asarray(minutes)
    return Series(
        steps[:, None].astype(float),
        name,
        labels=steps % 7 == 0,
        times=START + steps * MINUTE,
        classes=steps % 3,
        rows=np.arange(len(steps)),
    )


def cut(*some: Series) -> Dataset:
    dataset = Dataset(list(some), ("step",), ReaderConfig())
    return cut_at_holes(dataset, [time_steps(one) for one in some])


HOLES = np.r_[0:40, 60:75, 90:130]


def test_the_pieces_follow_each_other_and_make_up_the_whole() -> None:
    whole = series(HOLES)
    pieces = cut(whole, series(range(9), "other")).series
    assert [piece.name for piece in pieces] == ["m/1", "m/2", "m/3", "other"]
    assert [piece.origin for piece in pieces] == ["m", "m", "m", None]
    assert [len(piece) for piece in pieces] == [40, 15, 40, 9]
    for name in ("values", "labels", "times", "classes", "rows"):
        joined = np.concatenate([getattr(piece, name) for piece in pieces[:3]])
        np.testing.assert_array_equal(joined, getattr(whole, name))


def test_a_note_says_where_the_longest_hole_is() -> None:
    (note,) = cut(series(HOLES)).notes
    assert "(2)" in note and "21min after 2026-01-01T00:39:00" in note
    assert cut(series(range(50))).notes == ()


def test_no_window_reaches_over_a_hole() -> None:
    pieces = cut(series(HOLES)).series
    windows = WindowDataset(pieces, Scaler((0.0,), (1.0,), (0,)), 10, 1, ())
    (batch,) = windows.batches()
    steps = batch.x[..., 0]
    assert len(steps) == 31 + 6 + 31
    np.testing.assert_array_equal(np.diff(steps), 1)


def test_steps_that_are_uneven_throughout_are_refused() -> None:
    even, odd = np.arange(90), 90 + np.arange(1, 11) * 5
    assert len(cut(series(np.r_[even, odd[:9]])).series) == 10
    with pytest.raises(FieldError, match=r"11 of 100 .*--reader\.every 1min") as caught:
        cut(series(np.r_[even, 90 + np.arange(1, 12) * 5]))
    assert caught.value.field == "reader.time"
    assert "--reader.holes keep" in caught.value.message
    # One bad series among many is cut to pieces; it does not spoil the others.
    assert len(cut(series(range(500)), series(np.arange(9) ** 3)).series) > 2


def test_pieces_shorter_than_a_window_are_left_out_and_counted() -> None:
    pieces = cut(series(HOLES)).series
    assert [s.name for s in long_enough(pieces, 16, "data", "")] == ["m/1", "m/3"]
    (said,) = short_pieces(pieces, 16)
    assert "15 points in 1 pieces" in said and "m/2" in said
    assert short_pieces(pieces, 15) == ()
    with pytest.raises(FieldError, match="m/1 with 40 steps: help") as caught:
        long_enough(pieces, 41, "data.window", ": help")
    assert caught.value.field == "data.window"


def test_a_whole_series_is_not_left_out_in_silence() -> None:
    short = [series(range(3))]
    assert long_enough(short, 10, "data", "") == short
    assert short_pieces(short, 10) == ()
