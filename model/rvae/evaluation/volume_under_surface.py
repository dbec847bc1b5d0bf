"""Volume under the surface: detection over all thresholds and tolerances in time.

Paparrizos, Boniol, Palpanas, Tsay, Elmore and Franklin 2022, "Volume under the surface: a new
accuracy evaluation measure for time-series anomaly detection", PVLDB 15(11). Where the authors'
evaluator in TSB-AD (Liu and Paparrizos 2024, "The elephant in the room: towards a reliable
time-series anomaly detection benchmark", NeurIPS) differs from the paper, this follows the
evaluator.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.data.intervals import intervals

__all__ = ["Volume", "volume_under_surface"]

# Number of thresholds of a curve: scores of evenly spaced ranks.
LEVELS = 250


@dataclass(frozen=True)
class Volume:
    """Mean area under the range-based curves of all buffers."""

    roc: float
    pr: float


def volume_under_surface(
    labels: NDArray[np.bool_], scores: NDArray[np.float64], window: int
) -> Volume:
    """Average the areas under the curves of buffers of ℓ = 0, 1, ..., `window` steps.

    A buffer gives partial credit to alarms near an event. With d steps from a normal step to an
    event, the label of the step is

        label(d) = sqrt(1 - d / ℓ) for d ≤ ⌊ℓ / 2⌋, else 0,

    summed over events and at most 1; anomalous steps have label 1. Of the alarms at one threshold,

        TP = Σ label of flagged steps       FP = flagged steps - TP
        P  = anomalous steps + ½ Σ label of flagged normal steps
        TPR = min(TP / P, 1) · found        FPR = FP / (N - P)       precision = TP / flagged steps

    where `found` is the share of events with an alarm in them or in their buffer; events whose
    buffers overlap count as one. The area under ROC is a sum of trapezia from (0, 0) to (1, 1), the
    area under PR a sum of precision times the gain in TPR. In the paper P counts whole buffers; in
    the evaluator, and here, only their flagged steps.

    Args:
        labels: Which steps are anomalous (N,), some but not all.
        scores: Higher is more anomalous (N,), finite.
        window: Longest buffer in steps, the sum of both sides of an event. Usually the period of
            the series, see `rvae.data.period`.
    """
    level = _first_levels(scores)
    starts, stops = intervals(labels)
    alarms = _up_to_each_level(level)
    hits = _up_to_each_level(level[labels])
    found = [_found(level, starts, stops, reach) for reach in range(window // 2 + 1)]
    nearest, second = _nearest_two(np.flatnonzero(~labels), starts, stops)
    near = nearest <= window // 2
    nearest, second, level = nearest[near], second[near], level[~labels][near]
    roc, pr = [], []
    for length in range(window + 1):
        reach = length // 2
        inside = nearest <= reach
        # A label within reach is at least sqrt(1/2): any two of them sum to more than 1.
        alone = np.sqrt(1 - nearest[inside] / length)
        label = np.where(second[inside] <= reach, 1.0, alone)
        credit = _up_to_each_level(level[inside], label)
        positives = labels.sum() + credit / 2
        recall = np.minimum((hits + credit) / positives, 1) * found[reach]
        false_alarms = (alarms - hits - credit) / (len(labels) - positives)
        roc.append(np.trapezoid(np.r_[0, recall, 1], np.r_[0, false_alarms, 1]))
        pr.append(np.diff(recall, prepend=0) @ ((hits + credit) / alarms))
    return Volume(roc=float(np.mean(roc)), pr=float(np.mean(pr)))


def _first_levels(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index of the highest threshold, counted from the top, that each score reaches (N,)."""
    ranks = np.linspace(0, len(scores) - 1, LEVELS).astype(np.int64)
    return np.searchsorted(np.sort(-scores)[ranks], -scores)


def _up_to_each_level(
    level: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> NDArray[Any]:
    """Number or weight of the flagged steps at each threshold (LEVELS,)."""
    return np.bincount(level, weights, minlength=LEVELS).cumsum()


def _found(
    level: NDArray[np.int64], starts: NDArray[np.int64], stops: NDArray[np.int64], reach: int
) -> NDArray[np.float64]:
    """Share of events with an alarm in reach, at each threshold (LEVELS,)."""
    separate = stops[:-1] + reach <= starts[1:] - reach
    begins = np.maximum(starts[np.r_[True, separate]] - reach, 0)
    ends = np.minimum(stops[np.r_[separate, True]] + reach, len(level))
    # The last end may be the length of the series, which is not a valid index.
    padded = np.append(level, LEVELS)
    earliest = np.minimum.reduceat(padded, np.stack([begins, ends], axis=1).ravel())[::2]
    return _up_to_each_level(earliest) / len(begins)


def _nearest_two(
    steps: NDArray[np.int64], starts: NDArray[np.int64], stops: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distances of normal steps from the nearest facing end of an event, and from the next one."""
    begins = np.r_[-np.inf, -np.inf, starts, np.inf, np.inf]
    lasts = np.r_[-np.inf, -np.inf, stops - 1, np.inf, np.inf]
    following = np.searchsorted(starts, steps) + 2
    distances = np.stack(
        [
            begins[following] - steps,
            begins[following + 1] - steps,
            steps - lasts[following - 1],
            steps - lasts[following - 2],
        ]
    )
    distances.sort(axis=0)
    return distances[0], distances[1]
