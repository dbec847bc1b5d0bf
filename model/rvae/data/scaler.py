"""Bringing channels to zero mean and unit spread."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.errors import require

__all__ = ["Scaler"]


@dataclass(frozen=True)
class Scaler:
    """Mean and standard deviation of each channel (C,), in the data's own units."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def fit(cls, series: Sequence[Series], channels: Sequence[str]) -> "Scaler":
        """Measure the training part.

        Raises:
            FieldError: If a channel has no values or does not vary.
        """
        values = np.concatenate([s.values for s in series])  # (N, C)
        observed = ~np.isnan(values)
        for index, name in enumerate(channels):
            column = values[observed[:, index], index]
            require(len(column) > 0, name, "has no value in the training part")
            require(np.ptp(column) > 0, name, "is constant in the training part: leave it out")
        return cls(
            tuple(np.nanmean(values, axis=0).tolist()), tuple(np.nanstd(values, axis=0).tolist())
        )

    def transform(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Scale (..., C). The difference is taken in float64: a level of 1e9 must not eat it."""
        return ((values - np.array(self.mean)) / np.array(self.scale)).astype(np.float32)

    def inverse(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Undo `transform`."""
        return values * np.array(self.scale) + np.array(self.mean)
