"""Bringing channels to zero mean and unit spread."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.errors import require

__all__ = ["Scaler"]

# Beyond these, squares of values leave the range of a double.
SMALLEST, LARGEST = 1e-100, 1e100


@dataclass(frozen=True)
class Scaler:
    """Mean and standard deviation of each channel (C,), in the data's own units."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def fit(cls, series: Sequence[Series], channels: Sequence[str]) -> "Scaler":
        """Measure the training part.

        Raises:
            FieldError: If a channel has no values, does not vary, or is out of range.
        """
        values = np.concatenate([s.values for s in series])  # (N, C)
        observed = ~np.isnan(values)
        for index, name in enumerate(channels):
            column = values[observed[:, index], index]
            require(len(column) > 0, name, "has no value in the training part")
            require(np.ptp(column) > 0, name, "is constant in the training part: leave it out")
        with np.errstate(over="ignore"):
            mean, scale = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
        for index, name in enumerate(channels):
            require(
                bool(SMALLEST < scale[index] < LARGEST) and bool(abs(mean[index]) < LARGEST),
                name,
                f"has a mean of {mean[index]:g} and a spread of {scale[index]:g}: "
                "use a unit in which they are nearer to 1",
            )
        return cls(tuple(mean.tolist()), tuple(scale.tolist()))

    def transform(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Scale (..., C). The difference is taken in float64: a level of 1e9 must not eat it."""
        return ((values - np.array(self.mean)) / np.array(self.scale)).astype(np.float32)

    def inverse(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Undo `transform`."""
        return values * np.array(self.scale) + np.array(self.mean)
