from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rvae.client.pieces import Budget, Piece, groups, pieces
from rvae.data.series import Series
from rvae.data.windows import window_starts
from rvae.errors import FieldError

FILLING = np.array([7.0])
HUGE = Budget(10**6, 10**6, 1, 1, 10**9, 1024)


def series_of(length: int, name: str = "a") -> Series:
    return Series(np.arange(length, dtype=np.float64)[:, None], name)


@settings(deadline=None, max_examples=200)
@given(
    length=st.integers(4, 90),
    window=st.integers(2, 12),
    stride=st.integers(1, 20),
    windows=st.integers(1, 9),
    steps=st.integers(1, 60),
    by_step=st.booleans(),
)
# The last window begins less than a stride after the one before, and is a piece of its own.
@example(length=11, window=4, stride=2, windows=3, steps=60, by_step=True)
def test_every_window_and_every_step_is_in_one_piece(
    length: int, window: int, stride: int, windows: int, steps: int, by_step: bool
) -> None:
    series = series_of(max(length, window))
    starts = window_starts(len(series), window, stride)
    budget = Budget(windows, steps, 1, 1, 10**9, 1024)
    found = list(pieces([series], window, stride, budget, by_step))
    assert [w for piece in found for w in range(piece.first, piece.end)] == list(range(len(starts)))
    assert found[0].settled[0] == 0 and found[-1].settled[1] == len(series)
    assert all(a.settled[1] == b.settled[0] for a, b in pairwise(found))
    for piece in [*found, *(half for one in found for half in one.halves())]:
        sent = piece.part(FILLING)
        assert len(sent) == piece.steps and sent.values[0, 0] == piece.begin
        # The windows that the server makes of what is sent are those of the whole series.
        own = window_starts(len(sent), window, stride)
        assert own.tolist() == piece.starts() and len(own) == piece.windows
        computed = own + piece.begin
        assert computed[piece.lead :].tolist() == starts[piece.first : piece.end].tolist()
        first, end = piece.settled
        if by_step:
            covering = starts[(starts < end) & (starts + window > first)]
            assert set(covering) <= set(computed)
        fits = budget.holds(piece.windows, piece.steps)
        assert fits or piece.end - piece.first == 1


@settings(deadline=None, max_examples=100)
@given(window=st.integers(2, 9), stride=st.integers(1, 12), by_step=st.booleans())
def test_a_piece_without_a_value_gets_a_window_that_has_one(
    window: int, stride: int, by_step: bool
) -> None:
    values = np.full((80, 1), np.nan)
    values[40] = 1.0
    times = np.datetime64("2026-01-01", "us") + np.arange(80) * np.timedelta64(1, "m")
    one = Series(values, "a", None, times, np.zeros(80, np.int64))
    budget = Budget(2, 10**6, 1, 1, 10**9, 1)
    for piece in pieces([one], window, stride, budget, by_step):
        padded = piece.with_a_value()
        sent = padded.part(FILLING)
        assert not np.isnan(sent.values).all()
        assert len(sent) == padded.steps == len(sent.clock()) == len(sent.class_codes)
        assert (np.diff(sent.clock()) > np.timedelta64(0)).all()
        own = window_starts(len(sent), window, stride)
        assert own.tolist() == padded.starts() and len(own) == padded.windows
        kept = slice(padded.lead, padded.lead + piece.end - piece.first)
        # What was added is seen by no window that the piece is for, ...
        for start, number in zip(own[kept], range(piece.first, piece.end), strict=True):
            expected = values[piece.start(number) :][:window]
            np.testing.assert_array_equal(sent.values[start : start + window], expected)
        # ... and covered by none that has a say in its steps.
        if by_step and padded.padding:
            added = own[-1] if padded.padding == "after" else 0
            first, end = (step - padded.begin for step in padded.settled)
            assert added >= end or added + window <= first


def test_a_series_without_any_value_is_refused() -> None:
    one = Series(np.full((20, 1), np.nan), "a")
    with pytest.raises(FieldError, match="series a has no value at all"):
        Piece(one, 4, 1, 0, 17, by_step=True).with_a_value()


def test_pieces_of_one_length_are_sent_together() -> None:
    every = [series_of(10, name) for name in "abc"] + [series_of(11, "d"), series_of(10, "e")]
    planned = list(pieces(every, 4, 1, HUGE, by_step=False))
    assert [[p.series.name for p in group] for group in groups(planned, HUGE)] == [
        ["a", "b", "c"],
        ["d"],
        ["e"],
    ]
    for few in (
        Budget(14, 10**6, 1, 1, 10**9, 1024),
        Budget(10**6, 20, 1, 1, 10**9, 1024),
        Budget(10**6, 10**6, 1, 0, 26 * 14, 1024),
        Budget(10**6, 10**6, 0, 1, 26 * 20, 1024),
        Budget(10**6, 10**6, 1, 1, 10**9, 2),
    ):
        assert [len(group) for group in groups(planned, few)] == [2, 1, 1, 1]


def test_a_part_is_not_sent_with_a_whole() -> None:
    whole, long = series_of(4), series_of(5)
    group = [Piece(whole, 4, 1, 0, 1, by_step=False), Piece(long, 4, 1, 0, 1, by_step=False)]
    assert [len(one) for one in groups(group, HUGE)] == [1, 1]
