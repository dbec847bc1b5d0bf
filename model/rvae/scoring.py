"""Likelihoods → scores. Higher is more anomalous; the unit is nats a value."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["contributions", "over_series", "point_scores", "window_scores"]


def window_scores(nll: NDArray[Any]) -> NDArray[np.float64]:
    """Mean negative log-likelihood of the observed values of each window.

    Args:
        nll: Negative log-likelihoods (W, T, C), NaN where missing.

    Returns:
        Scores (W,), NaN where nothing was observed. A mean and not a sum, so that windows with
        missing values are comparable with whole ones.
    """
    return _mean_of_observed(nll, axis=(1, 2))


def contributions(nll: NDArray[Any]) -> NDArray[Any]:
    """What each step and channel adds to its window's score: (W, T, C) that sums to (W,)."""
    observed = (~np.isnan(nll)).sum(axis=(1, 2), keepdims=True)
    return nll / np.maximum(observed, 1).astype(nll.dtype)


def point_scores(nll: NDArray[Any]) -> NDArray[np.float64]:
    """Mean negative log-likelihood of the observed channels of each step: (W, T, C) → (W, T)."""
    return _mean_of_observed(nll, axis=2)


def over_series(
    pointwise: NDArray[Any], starts: NDArray[np.int64], length: int
) -> NDArray[np.float64]:
    """Average what overlapping windows say of each point of a series.

    Args:
        pointwise: A value a step of each window (W, T, ...), NaN where there is none.
        starts: First step of each window (W,), all different.
        length: Points N of the series.

    Returns:
        Means (N, ...), NaN at points of which no window says anything.
    """
    said = ~np.isnan(pointwise)
    total = np.zeros((length, *pointwise.shape[2:]))
    count = np.zeros_like(total)
    # No two windows start together, so one step of all windows never meets a point twice.
    for step in range(pointwise.shape[1]):
        total[starts + step] += np.where(said[:, step], pointwise[:, step], 0.0)
        count[starts + step] += said[:, step]
    with np.errstate(invalid="ignore"):
        return total / count


def _mean_of_observed(nll: NDArray[Any], axis: int | tuple[int, ...]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        return np.nansum(nll, axis=axis, dtype=np.float64) / (~np.isnan(nll)).sum(axis=axis)
