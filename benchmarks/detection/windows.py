"""Scores of single points from detectors of windows."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.data.windows import window_view
from rvae.errors import require
from rvae.scoring.aggregation import mean_by_point

__all__ = [
    "WINDOW",
    "Errors",
    "Fit",
    "Score",
    "of_points",
    "of_windows",
    "scaling_of",
    "vectors_of",
]

WINDOW = 64

# A few dozen megabytes for many channels.
WINDOWS_PER_BATCH = 1024

# Values (N, C) of a whole series → scores (N,), higher where more anomalous.
Score = Callable[[NDArray[np.float64]], NDArray[np.float64]]

# Values (n, C) of the training prefix and a seed → a function that scores a series.
Fit = Callable[[NDArray[np.float64], int], Score]

# Scaled windows (B, T, C) → errors of their steps (B, T), or of whole windows (B, 1).
Errors = Callable[[NDArray[np.float64]], NDArray[Any]]

Scaling = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def scaling_of(prefix: NDArray[np.float64]) -> Scaling:
    """Scaling of channels to zero mean and unit spread on the prefix (n, C).

    A channel that is constant there is not scaled.
    """
    mean = prefix.mean(axis=0)
    # Because of rounding, the spread of a constant is not always zero.
    constant = prefix.min(axis=0) == prefix.max(axis=0)
    scale = np.where(constant, 1.0, prefix.std(axis=0))
    return lambda values: (values - mean) / scale


def vectors_of(scaled: NDArray[np.float64]) -> NDArray[np.float64]:
    """All windows of scaled values (N, C) as vectors (W, T·C).

    Raises:
        FieldError: If there are fewer points than a window has.
    """
    _require_window(scaled)
    return window_view(scaled, WINDOW).reshape(len(scaled) - WINDOW + 1, -1)


def of_points(scale: Scaling, errors: Errors) -> Score:
    """Score each point by the mean of its own errors in the windows that cover it."""

    def score(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return _averaged(list(_runs(scale(values), errors)), len(values))

    return score


def of_windows(scale: Scaling, errors: Errors) -> Score:
    """Score each point by the mean error of the whole windows that cover it."""

    def score(values: NDArray[np.float64]) -> NDArray[np.float64]:
        whole = [run.mean(axis=1, keepdims=True) for run in _runs(scale(values), errors)]
        return _averaged(whole, len(values))

    return score


def _runs(scaled: NDArray[np.float64], errors: Errors) -> Iterator[NDArray[Any]]:
    _require_window(scaled)
    windows = window_view(scaled, WINDOW)
    for first in range(0, len(windows), WINDOWS_PER_BATCH):
        yield errors(np.ascontiguousarray(windows[first : first + WINDOWS_PER_BATCH]))


def _averaged(runs: list[NDArray[Any]], length: int) -> NDArray[np.float64]:
    said = np.concatenate(runs)
    pointwise = np.broadcast_to(said, (len(said), WINDOW))
    return mean_by_point(pointwise, np.arange(len(said)), length)


def _require_window(scaled: NDArray[np.float64]) -> None:
    require(len(scaled) >= WINDOW, "series", f"has {len(scaled)} points, a window has {WINDOW}")
