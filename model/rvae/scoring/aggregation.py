"""Likelihoods and errors → scores of windows and points. Higher is more anomalous."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "contributions",
    "mean_by_point",
    "point_scores",
    "share_by_errors",
    "step_scores",
    "sum_of_observed",
    "window_mean_by_point",
    "window_scores",
]


def window_scores(nll: NDArray[Any]) -> NDArray[np.float64]:
    """Mean negative log-likelihood of the observed values of each window.

    Args:
        nll: Negative log-likelihoods (W, T, C), NaN where missing.

    Returns:
        Scores (W,), NaN where nothing was observed. A mean, not a sum, so that windows with missing
        values are comparable with complete ones.
    """
    return _mean_of_observed(nll, axis=(1, 2))


def contributions(nll: NDArray[Any]) -> NDArray[Any]:
    """What each step and channel adds to its window's score: (W, T, C) that sums to (W,)."""
    observed = (~np.isnan(nll)).sum(axis=(1, 2), keepdims=True)
    return nll / np.maximum(observed, 1).astype(nll.dtype)


def share_by_errors(score: NDArray[np.float64], errors: NDArray[Any]) -> NDArray[np.float64]:
    """Distribute the scores of windows over steps and channels, in proportion to their errors.

    Args:
        score: Score of each window (W,).
        errors: Squared errors behind the score (W, T, C), NaN where missing.

    Returns:
        Contributions (W, T, C) that sum to the scores, NaN where missing.
    """
    total = np.nansum(errors, axis=(1, 2), dtype=np.float64)
    return errors * (score / np.where(total > 0, total, 1.0))[:, None, None]


def point_scores(nll: NDArray[Any]) -> NDArray[np.float64]:
    """Mean negative log-likelihood of the observed channels of each step: (W, T, C) → (W, T)."""
    return _mean_of_observed(nll, axis=2)


def mean_by_point(
    pointwise: NDArray[Any], starts: NDArray[np.int64], length: int
) -> NDArray[np.float64]:
    """Average the values of overlapping windows at each point of a series.

    The values of a point are added in the order of its windows, and nothing else has an influence
    on its mean: it is the same to the last bit in a stretch of the series.

    Args:
        pointwise: Values per step of each window (W, T, ...), NaN where missing.
        starts: First step of each window (W,), ascending, all different.
        length: Points N of the series.

    Returns:
        Means (N, ...), NaN at points where no window has a value.
    """
    total = np.zeros((length, *pointwise.shape[2:]))
    count = np.zeros_like(total)

    def add(places: Any, values: NDArray[Any]) -> None:
        observed = ~np.isnan(values)
        total[places] += np.where(observed, values, 0.0)
        count[places] += observed

    windows, steps = pointwise.shape[:2]
    if windows < steps:
        for window in range(windows):
            add(slice(starts[window], starts[window] + steps), pointwise[window])
    else:
        # All starts differ, so the same step of all windows never hits a point twice. Of the
        # windows of a point, the first one has it as its last step.
        for step in reversed(range(steps)):
            add(starts + step, pointwise[:, step])
    with np.errstate(invalid="ignore"):
        return total / count


def window_mean_by_point(
    windows: NDArray[np.float64], starts: NDArray[np.int64], window: int, length: int
) -> NDArray[np.float64]:
    """Average values per window over the windows that cover each point of a series.

    Args:
        windows: Values per window (W, ...), NaN where missing.
        starts: First step of each window (W,), ascending, all different.
        window: Time steps T.
        length: Points N of the series.

    Returns:
        Means (N, ...), NaN at points where no window has a value, as `mean_by_point` returns them.
    """
    # A running sum would take less time, but after a huge value, such as that of an outlier, all
    # others would be lost in its rounding error.
    steps = np.broadcast_to(windows[:, None], (len(windows), window, *windows.shape[1:]))
    return mean_by_point(steps, starts, length)


def step_scores(
    scores: NDArray[np.float64],
    thresholds: float | NDArray[np.float64],
    starts: NDArray[np.int64],
    window: int,
    length: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores and thresholds of windows → means over the windows that cover each step.

    They are for pictures and tables. What is anomalous follows from the windows themselves, see
    `rvae.scoring.events`.

    Args:
        scores: Score of each window (W,), NaN where nothing was observed.
        thresholds: Threshold of each window (W,), or of all; finite.
        starts: First step of each window (W,).
        window: Time steps T.
        length: Points N of the series.

    Returns:
        Scores (N,) and thresholds (N,), NaN where no window has a score.
    """
    # A window without a score does not count in the threshold either.
    scored = np.where(np.isnan(scores), np.nan, thresholds)
    of_windows = np.stack([scores, scored], axis=1)
    score, threshold = window_mean_by_point(of_windows, starts, window, length).T
    return score, threshold


def sum_of_observed(values: NDArray[Any]) -> NDArray[np.float64]:
    """Sum over the observed channels of each step: (W, T, C) → (W, T), NaN where there are none."""
    total = np.nansum(values, axis=2, dtype=np.float64)
    return np.where(np.isnan(values).all(axis=2), np.nan, total)


def _mean_of_observed(nll: NDArray[Any], axis: int | tuple[int, ...]) -> NDArray[np.float64]:
    means: NDArray[np.float64] = nll.mean(axis=axis, dtype=np.float64)
    if not np.isnan(means).any():
        return means  # nothing is missing, as in most windows
    with np.errstate(invalid="ignore"):
        return np.nansum(nll, axis=axis, dtype=np.float64) / (~np.isnan(nll)).sum(axis=axis)
