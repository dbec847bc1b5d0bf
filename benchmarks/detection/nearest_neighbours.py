"""Distance of a window from the nearest ones of the training prefix."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.detection.windows import WINDOW, Fit, Score, of_windows, scaling_of, vectors_of

__all__ = ["knn", "knn_z"]

NEIGHBOURS = 3

# Maximum number of windows of the prefix that are kept, which bounds memory and time.
MAX_KEPT = 5000

# In units of a channel's spread on the prefix. A channel with less spread in a window is flat.
FLAT = 1e-6

Form = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def _fitted_in(form: Form) -> Fit:
    def fit(prefix: NDArray[np.float64], seed: int) -> Score:
        scale = scaling_of(prefix)
        vectors = vectors_of(scale(prefix))
        if len(vectors) > MAX_KEPT:
            random = np.random.default_rng(seed)
            vectors = vectors[np.sort(random.choice(len(vectors), MAX_KEPT, replace=False))]
        known = form(vectors.reshape(len(vectors), WINDOW, -1)).reshape(len(vectors), -1)
        squares = (known**2).sum(axis=1)

        def errors(windows: NDArray[np.float64]) -> NDArray[np.float64]:
            asked = form(windows).reshape(len(windows), -1)
            distances = (asked**2).sum(axis=1)[:, None] + squares - 2 * asked @ known.T
            nearest = np.partition(distances, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
            # Rounding makes the distance of a window to itself negative.
            return np.sqrt(np.maximum(nearest, 0)).mean(axis=1, keepdims=True)

        return of_windows(scale, errors)

    return fit


def _as_it_is(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    return windows


def _shape_only(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each channel of each window (B, T, C) with zero mean and unit spread, zero where flat."""
    around_mean = windows - windows.mean(axis=1, keepdims=True)
    spread = around_mean.std(axis=1, keepdims=True)
    return np.where(spread > FLAT, around_mean / np.maximum(spread, FLAT), 0.0)


knn = _fitted_in(_as_it_is)
knn_z = _fitted_in(_shape_only)
