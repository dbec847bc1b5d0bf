"""Residuals of windows beyond the principal components of normal windows."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from benchmarks.detection.windows import (
    Errors,
    Fit,
    Score,
    of_points,
    of_windows,
    scaling_of,
    vectors_of,
)

__all__ = ["window_pca", "window_pca_spread"]

COMPONENTS = 10


def _fitted_by(scores: Callable[..., Score]) -> Fit:
    def fit(prefix: NDArray[np.float64], seed: int) -> Score:
        scale = scaling_of(prefix)
        pca = PCA(COMPONENTS, random_state=seed).fit(vectors_of(scale(prefix)))
        return scores(scale, _squared_errors(pca))

    return fit


def _squared_errors(pca: PCA) -> Errors:
    def errors(windows: NDArray[np.float64]) -> NDArray[np.float64]:
        vectors = windows.reshape(len(windows), -1)
        left = vectors - pca.inverse_transform(pca.transform(vectors))
        return (left**2).reshape(windows.shape).mean(axis=2)

    return errors


window_pca = _fitted_by(of_points)
window_pca_spread = _fitted_by(of_windows)
