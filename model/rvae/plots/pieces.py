"""A series that was cut at holes in its times, drawn as a whole."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.errors import require
from rvae.inference.engine import Engine
from rvae.plots.scored_series import ScoredSeries, score_series
from rvae.scoring.events import Event

__all__ = ["find_pieces", "join_pieces", "score_pieces"]

MAX_NAMES = 5


def find_pieces(series: Sequence[Series], name: str | None) -> list[Series]:
    """The pieces of the series with a name; of the first one without a name.

    Raises:
        FieldError: If there is no such series.
    """
    names = list(dict.fromkeys(one.whole_name for one in series))
    chosen = names[0] if name is None else name
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    known = ", ".join(names[:MAX_NAMES]) + more
    require(chosen in names, "series", f"{chosen!r} is not in the data, which has {known}")
    return [one for one in series if one.whole_name == chosen]


def score_pieces(
    engine: Engine,
    pieces: Sequence[Series],
    stride: int | None = None,
    quantile: float | None = None,
    adapt: float | None = None,
    gap: int | None = None,
    alarms: str | None = None,
) -> ScoredSeries:
    """Score the pieces of one series, each as `score_series` does, and join them."""
    scored = [score_series(engine, one, stride, quantile, adapt, gap, alarms) for one in pieces]
    return replace(join_pieces(scored), name=pieces[0].whole_name)


def join_pieces(pieces: Sequence[ScoredSeries]) -> ScoredSeries:
    """Pieces as one series, with a missing step in each hole, which interrupts the lines.

    Args:
        pieces: At least one, in order; if there are several, all have times.
    """
    if len(pieces) == 1:
        return pieces[0]
    starts = np.cumsum([0, *(len(piece) + 1 for piece in pieces[:-1])]).tolist()
    names = ("values", "reconstruction", "scores", "lower", "upper", "thresholds")
    arrays: dict[str, Any] = {
        name: _joined([getattr(piece, name) for piece in pieces]) for name in names
    }
    events = (
        _shifted(event, start)
        for piece, start in zip(pieces, starts, strict=True)
        for event in piece.events
    )
    return replace(pieces[0], **arrays, times=_joined_times(pieces), events=tuple(events))


def _shifted(event: Event, steps: int) -> Event:
    return replace(event, start=event.start + steps, end=event.end + steps, peak=event.peak + steps)


def _joined(arrays: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    parts: list[NDArray[np.float64]] = []
    for array in arrays:
        if array is None:
            return None
        parts += [array, np.full_like(array[:1], np.nan)]
    return np.concatenate(parts[:-1])


def _joined_times(pieces: Sequence[ScoredSeries]) -> NDArray[np.datetime64]:
    """Times of all steps; that of the step in a hole is in its middle."""
    joined: list[Any] = [pieces[0].places]
    for before, after in pairwise(pieces):
        last, first = before.places[-1], after.places[0]
        joined += [[last + (first - last) // 2], after.places]
    return np.concatenate(joined)
