"""Metrics of reconstruction, and of the use of the latent."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ExplainedVariance", "active_units"]

# Burda, Grosse and Salakhutdinov 2016, "Importance weighted autoencoders", section 4.1.
ACTIVE_VARIANCE = 0.01


class ExplainedVariance:
    """Share of the windows' variance around the mean window that reconstructions explain.

    The mean window is the best output of a decoder that ignores its latent: such a model gets 0.
    """

    def __init__(self) -> None:
        self._count = self._sum = self._squares = np.zeros(())  # of each step and channel
        self._left = 0.0

    def add(self, windows: NDArray[Any], reconstruction: NDArray[Any]) -> None:
        """Add windows (W, T, C), NaN where missing, and their reconstructions (W, T, C)."""
        windows = windows.astype(np.float64)
        self._count = self._count + (~np.isnan(windows)).sum(axis=0)
        self._sum = self._sum + np.nansum(windows, axis=0)
        self._squares = self._squares + np.nansum(windows**2, axis=0)
        self._left += float(np.nansum((windows - reconstruction) ** 2))

    @property
    def value(self) -> float:
        """At most 1; NaN where the windows do not vary."""
        around_mean = (self._squares - self._sum**2 / np.maximum(self._count, 1)).sum()
        return float(1 - self._left / around_mean) if around_mean > 0 else float("nan")


def active_units(variance: NDArray[Any]) -> int:
    """Number of latent dimensions whose posterior mean varies over windows: variance (D,)."""
    return int((variance > ACTIVE_VARIANCE).sum())
