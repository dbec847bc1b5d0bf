"""Isolation forest: number of random cuts that isolate a window.

Liu, Ting and Zhou 2008, "Isolation forest", ICDM.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from benchmarks.detection.windows import Score, of_windows, scaling_of, vectors_of

__all__ = ["isolation_forest"]


def isolation_forest(prefix: NDArray[np.float64], seed: int) -> Score:
    """Fit to the windows of the prefix (n, C)."""
    scale = scaling_of(prefix)
    forest = IsolationForest(random_state=seed).fit(vectors_of(scale(prefix)))

    def errors(windows: NDArray[np.float64]) -> NDArray[np.float64]:
        return -forest.score_samples(windows.reshape(len(windows), -1))[:, None]

    return of_windows(scale, errors)
