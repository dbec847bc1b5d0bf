"""Scores of windows → events: the anomalous stretches of a series, and their channels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvae.data.intervals import intervals
from rvae.errors import require
from rvae.scoring import aggregation
from rvae.scoring.calibration import Calibration

__all__ = ["Event", "find_events", "require_gap", "step_scores"]

MAX_CHANNELS = 3  # that an event names


@dataclass(frozen=True)
class Event:
    """A stretch of a series that is anomalous.

    Attributes:
        start: Its first step.
        end: The step after its last one.
        peak: The step that is the least likely, where what is anomalous should be looked for.
        score: The highest in the stretch.
        severity: Of that score.
        channels: The channels that are the least likely at the peak, and their scores there.
    """

    start: int
    end: int
    peak: int
    score: float
    severity: float
    channels: tuple[tuple[str, float], ...]


def step_scores(
    scores: NDArray[np.float64],
    thresholds: float | NDArray[np.float64],
    starts: NDArray[np.int64],
    window: int,
    length: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores and thresholds of windows → scores and thresholds of the steps of their series.

    A step has the mean score of the windows that cover it, and their mean threshold. Its own
    likelihood would not do: single values scatter far more than the means over windows that the
    calibration knows, and many normal ones lie above the threshold of windows.

    Args:
        scores: Of each window (W,), NaN where nothing was observed.
        thresholds: Of each window (W,), or of all.
        starts: First step of each window (W,).
        window: Time steps T.
        length: Points N of the series.

    Returns:
        Scores (N,) and thresholds (N,), NaN where no window has a score.
    """
    # A window without a score does not count in the threshold either. Cumulative sums cannot hold
    # an infinite threshold: it makes that of every step it covers infinite.
    known = np.where(np.isnan(scores), np.nan, thresholds)
    infinite = np.isinf(known)
    of_windows = np.stack([scores, np.where(infinite, 0.0, known), infinite], axis=1)
    score, finite, beyond = aggregation.window_mean_by_point(of_windows, starts, window, length).T
    return score, np.where(beyond > 0, np.inf, finite)


def find_events(
    scores: NDArray[np.float64],
    thresholds: float | NDArray[np.float64],
    point_scores: NDArray[np.float64],
    channel_scores: NDArray[np.float64],
    channels: Sequence[str],
    calibration: Calibration,
    gap: int,
) -> list[Event]:
    """Stretches of steps that score above the threshold.

    Args:
        scores: Of each step (N,), NaN where nothing is known: there is no event, and none goes on.
        thresholds: Of each step (N,), or of all.
        point_scores: By which the peak of a stretch is found (N,), NaN where nothing is known.
        channel_scores: Of each step and channel (N, C), NaN where missing.
        channels: Their names.
        calibration: What says how severe a score is.
        gap: Stretches with no more steps than this between them are one.

    Raises:
        FieldError: If the gap is negative.
    """
    require_gap(gap)
    starts, ends = intervals(_bridged(scores > thresholds, np.isnan(scores), gap))
    found = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        peak = start + int(np.argmax(_or_lowest(point_scores[start:end])))
        highest = float(scores[start:end].max())
        severity = float(calibration.severity(highest))
        found.append(
            Event(start, end, peak, highest, severity, _leading(channel_scores[peak], channels))
        )
    return found


def require_gap(gap: int) -> None:
    """Raise a `FieldError` where a gap is negative."""
    require(gap >= 0, "gap", f"must be at least 0, got {gap}")


def _bridged(flags: NDArray[np.bool_], unknown: NDArray[np.bool_], gap: int) -> NDArray[np.bool_]:
    """Flags (N,) with the short gaps between them closed."""
    bridged = flags.copy()
    starts, ends = intervals(~flags)
    before = np.concatenate([[0], np.cumsum(unknown)])
    short = (ends - starts <= gap) & (starts > 0) & (ends < len(flags))
    closed = short & (before[starts] == before[ends])
    for start, end in zip(starts[closed], ends[closed], strict=True):
        bridged[start:end] = True
    return bridged


def _leading(
    channel_scores: NDArray[np.float64], channels: Sequence[str]
) -> tuple[tuple[str, float], ...]:
    """The channels that score highest in one step (C,)."""
    order = np.argsort(-_or_lowest(channel_scores), kind="stable")
    known = [i for i in order.tolist() if not np.isnan(channel_scores[i])]
    return tuple((channels[i], float(channel_scores[i])) for i in known[:MAX_CHANNELS])


def _or_lowest(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores with minus infinity where there is none."""
    return np.where(np.isnan(scores), -np.inf, scores)
