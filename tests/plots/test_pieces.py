"""A series that was cut at holes in its times, drawn as a whole."""

import numpy as np
import pytest

from rvae.data.series import Series
from rvae.errors import FieldError
from rvae.plots.pieces import find_pieces, join_pieces
from rvae.plots.scored_series import ScoredSeries
from rvae.scoring.events import Event

START, MINUTE = np.datetime64("2026-01-01", "us"), np.timedelta64(1, "m")


def piece(first: int, steps: int, *events: tuple[int, int]) -> ScoredSeries:
    """Steps of one minute from a first minute on, whose values are their minutes."""
    values = np.arange(first, first + steps, dtype=np.float64)
    return ScoredSeries(
        values=values[:, None],
        reconstruction=values[:, None] + 0.5,
        scores=values * 2,
        channels=("heat",),
        thresholds=np.full(steps, 7.0),
        events=tuple(Event(start, end, start, 1.0, 2.0, (), 0.1, False) for start, end in events),
        times=START + np.arange(first, first + steps) * MINUTE,
        name="machine/1",
    )


def test_pieces_are_joined_with_a_missing_step_in_each_hole() -> None:
    joined = join_pieces([piece(0, 3, (1, 2)), piece(10, 2, (0, 2)), piece(20, 1)])
    minutes = [0, 1, 2, 6, 10, 11, 15.5, 20]
    np.testing.assert_array_equal(joined.values[:, 0], [0, 1, 2, np.nan, 10, 11, np.nan, 20])
    np.testing.assert_array_equal(joined.scores, [0, 2, 4, np.nan, 20, 22, np.nan, 40])
    np.testing.assert_array_equal(joined.places, [START + int(m * 60e6) for m in minutes])
    assert [(event.start, event.end, event.peak) for event in joined.events] == [
        (1, 2, 1),
        (4, 6, 4),
    ]
    assert joined.lower is None
    np.testing.assert_array_equal(joined.thresholds, np.where(np.isnan(joined.scores), np.nan, 7))


def test_a_single_piece_stays_as_it_is() -> None:
    alone = piece(0, 3)
    assert join_pieces([alone]) is alone


def test_the_pieces_of_a_series_are_found_by_its_name() -> None:
    def made(name: str, origin: str | None = None) -> Series:
        return Series(np.zeros((2, 1)), name, origin=origin)

    series = [made("a/1", "a"), made("a/2", "a"), made("b")]
    assert [one.name for one in find_pieces(series, None)] == ["a/1", "a/2"]
    assert [one.name for one in find_pieces(series, "b")] == ["b"]
    assert [one.whole_name for one in series] == ["a", "a", "b"]
    with pytest.raises(FieldError, match="'c' is not in the data, which has a, b"):
        find_pieces(series, "c")
    with pytest.raises(FieldError, match="0, 1, 2, 3, 4 and 3 more"):
        find_pieces([made(str(i)) for i in range(8)], "x")
