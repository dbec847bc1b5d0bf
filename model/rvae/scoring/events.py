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

MAX_CHANNELS = 3  # per event


@dataclass(frozen=True)
class Event:
    """An anomalous stretch of a series.

    Attributes:
        start: First step.
        end: Step after the last one.
        peak: The least likely step, the one to inspect first.
        score: Highest score of the stretch.
        severity: Severity of that score.
        channels: The least likely channels at the peak, and their scores there.
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
    likelihood is not suitable: single values scatter far more than the means over windows that are
    calibrated, and many normal ones exceed the threshold of windows.

    Args:
        scores: Score of each window (W,), NaN where nothing was observed.
        thresholds: Threshold of each window (W,), or of all.
        starts: First step of each window (W,).
        window: Time steps T.
        length: Points N of the series.

    Returns:
        Scores (N,) and thresholds (N,), NaN where no window has a score.
    """
    # A window without a score does not count in the threshold either. Infinite thresholds cannot be
    # summed: they are counted, and make the threshold of every covered step infinite.
    scored = np.where(np.isnan(scores), np.nan, thresholds)
    infinite = np.isinf(scored)
    of_windows = np.stack([scores, np.where(infinite, 0.0, scored), infinite], axis=1)
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
    """Find stretches of steps that score above the threshold.

    Args:
        scores: Score of each step (N,); NaN ends an event.
        thresholds: Threshold of each step (N,), or of all.
        point_scores: Scores that define the peak of a stretch (N,), NaN where unknown.
        channel_scores: Score of each step and channel (N, C), NaN where missing.
        channels: Names of the channels.
        calibration: Calibration, for severities.
        gap: Stretches with at most this many steps between them are merged.

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
    """Raise a `FieldError` if a gap is negative."""
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
    observed = [i for i in order.tolist() if not np.isnan(channel_scores[i])]
    return tuple((channels[i], float(channel_scores[i])) for i in observed[:MAX_CHANNELS])


def _or_lowest(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores, minus infinity where missing."""
    return np.where(np.isnan(scores), -np.inf, scores)
