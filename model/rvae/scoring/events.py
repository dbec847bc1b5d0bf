"""Scores of windows → alarms: the events in a series, and what tells of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvae.data.intervals import events
from rvae.errors import require
from rvae.inference.analysis import Analysis
from rvae.scoring import aggregation
from rvae.scoring.calibration import Calibration

__all__ = ["Event", "find", "find_events"]

LEADING = 3  # channels that are named


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


def find_events(
    analysis: Analysis,
    thresholds: float | NDArray[np.float64],
    calibration: Calibration,
    names: Sequence[str],
    gap: int,
) -> list[Event]:
    """The alarms of one series, in order.

    A step has the mean score of the windows that cover it, and their mean threshold. Its own
    likelihood would not do: single values scatter far more than the means over windows that the
    calibration knows, and many normal ones lie above the threshold of windows.

    Args:
        analysis: Of the series.
        thresholds: Of each window (W,), or of all.
        calibration: Of the model.
        names: Of the channels.
        gap: As in `find`.

    Raises:
        FieldError: If the gap is negative.
    """
    _require_gap(gap)
    if not (analysis.score > thresholds).any():
        return []  # nor does any mean exceed that of the thresholds
    # A window without a score has no say in what the others are held against. Sums in passing know
    # no infinite threshold, which makes that of every step it covers infinite.
    said = np.where(np.isnan(analysis.score), np.nan, thresholds)
    beyond = np.isinf(said)
    of_windows = np.stack([analysis.score, np.where(beyond, 0.0, said), beyond], axis=1)
    window = analysis.nll.shape[1]
    score, finite, infinite = aggregation.window_mean_by_point(
        of_windows, analysis.starts, window, analysis.length
    ).T
    return find(
        score,
        np.where(infinite > 0, np.inf, finite),
        analysis.point_scores,
        analysis.channel_scores,
        names,
        calibration,
        gap,
    )


def find(
    scores: NDArray[np.float64],
    thresholds: float | NDArray[np.float64],
    point_scores: NDArray[np.float64],
    channel_scores: NDArray[np.float64],
    names: Sequence[str],
    calibration: Calibration,
    gap: int,
) -> list[Event]:
    """Stretches of steps that score above the threshold.

    Args:
        scores: Of each step (N,), NaN where nothing is known: there is no alarm, and none goes on.
        thresholds: Of each step (N,), or of all.
        point_scores: What tells the steps of a stretch apart (N,), NaN where nothing is known.
        channel_scores: Of each step and channel (N, C), NaN where missing.
        names: Of the channels.
        calibration: What says how severe a score is.
        gap: Stretches with no more steps than this between them are one.

    Raises:
        FieldError: If the gap is negative.
    """
    _require_gap(gap)
    starts, ends = events(_bridged(scores > thresholds, np.isnan(scores), gap))
    alarms = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        peak = start + int(np.argmax(_or_lowest(point_scores[start:end])))
        highest = float(scores[start:end].max())
        severity = float(calibration.severity(highest))
        alarms.append(
            Event(start, end, peak, highest, severity, _leading(channel_scores[peak], names))
        )
    return alarms


def _require_gap(gap: int) -> None:
    require(gap >= 0, "gap", f"must be at least 0, got {gap}")


def _bridged(flags: NDArray[np.bool_], unknown: NDArray[np.bool_], gap: int) -> NDArray[np.bool_]:
    """Flags (N,) with the short gaps between them closed."""
    bridged = flags.copy()
    starts, ends = events(~flags)
    before = np.concatenate([[0], np.cumsum(unknown)])
    short = (ends - starts <= gap) & (starts > 0) & (ends < len(flags))
    closed = short & (before[starts] == before[ends])
    for start, end in zip(starts[closed], ends[closed], strict=True):
        bridged[start:end] = True
    return bridged


def _leading(
    channel_scores: NDArray[np.float64], names: Sequence[str]
) -> tuple[tuple[str, float], ...]:
    """The channels that score highest in one step (C,)."""
    order = np.argsort(-_or_lowest(channel_scores), kind="stable")
    known = [i for i in order.tolist() if not np.isnan(channel_scores[i])]
    return tuple((names[i], float(channel_scores[i])) for i in known[:LEADING])


def _or_lowest(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Nothing is the last that an alarm should be blamed on."""
    return np.where(np.isnan(scores), -np.inf, scores)
