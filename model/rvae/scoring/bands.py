"""Residuals of normal values → bounds around their reconstruction."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rvae.data.scaler import Scaler
from rvae.errors import require

__all__ = ["Bands", "Residuals"]

# Maximum factor between consecutive kept ranks, and so between the shares of values beyond them,
# unless the ranks are adjacent.
GROWTH = 1.05

# Rounding of a decimal quantile must not move it to the next rank.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Residuals:
    """Residuals of one channel, values minus reconstruction, in units of the scaler.

    A few hundred of them are kept: those with the `ranks`, counted from either end.

    Attributes:
        count: Number of all residuals; 0 for a categorical channel.
        independent: Number of residuals in windows that do not overlap.
        below: Kept residuals from the smallest to the median, ascending.
        above: Kept residuals from the largest to the median, descending.
    """

    count: int
    independent: int
    below: tuple[float, ...]
    above: tuple[float, ...]

    @classmethod
    def fit(cls, residuals: NDArray[np.float32], windows: int, independent: int) -> "Residuals":
        """Keep the residuals that quantiles need.

        Args:
            residuals: All residuals, without NaN.
            windows: Number of windows that they come from.
            independent: Number of these windows that do not overlap.
        """
        count = len(residuals)
        if not count:
            return cls(0, 0, (), ())
        ascending = np.sort(residuals)
        kept = ranks(count)
        return cls(
            count,
            max(1, count * min(independent, windows) // windows),
            tuple(ascending[kept - 1].tolist()),
            tuple(ascending[count - kept].tolist()),
        )

    @property
    def largest_quantile(self) -> float:
        """The highest quantile that the residuals support."""
        return max(0.0, 1 - 2 / (self.independent + 1))

    def bounds(self, quantile: float) -> tuple[float, float]:
        """Bounds that a new residual leaves with probability at most 1 - quantile, half per side.

        NaN if there are too few residuals for the quantile.
        """
        rank = int((self.independent + 1) * (1 - quantile + 2 * ROUNDING) / 2)
        if not self.count or rank < 1:
            return np.nan, np.nan
        # The share of residuals beyond the bound is that of a rank among residuals without overlap.
        rank = 1 + (rank - 1) * self.count // self.independent
        at = int(np.searchsorted(self._ranks, rank, side="right")) - 1
        return self.below[at], self.above[at]

    @cached_property
    def _ranks(self) -> NDArray[np.int64]:
        return ranks(self.count)


@dataclass(frozen=True)
class Bands:
    """Bounds of normal values around their expected values.

    The bounds are those of split conformal prediction (Lei et al. 2018, "Distribution-free
    predictive inference for regression", section 2), on each side separately: with n held-out
    residuals that are exchangeable with a new one, the new one lies beyond the k-th from either end
    with probability at most k / (n + 1). Between kept ranks the next one further out is taken,
    which makes a band slightly too wide.

    The promise is on the share of single values that leave their band, in the long run and over all
    steps of a window. There is no promise for a window as a whole: its values are correlated, and
    the more values a window has, the more likely it is that one of them leaves its band. Windows
    that overlap add little information: ranks are taken among the number of values in windows that
    do not overlap, which makes a band wider, and the highest quantile lower. With few windows, even
    if they have many values, the share varies between calibrations.

    Residuals are those of single windows. Where several windows cover a point, its expected value
    is their mean, which is more accurate: the band is then conservative.

    Attributes:
        channels: Residuals of each channel (C,).
    """

    channels: tuple[Residuals, ...]

    @classmethod
    def fit(cls, residuals: Iterable[NDArray[np.float32]], independent: int) -> "Bands":
        """Fit to the residuals of held-out normal windows.

        Args:
            residuals: Residuals of batches of windows (B, T, C), scaled, NaN where missing.
            independent: Number of windows that do not overlap.
        """
        windows, held = 0, []
        for run in residuals:
            windows += len(run)
            columns = np.moveaxis(run, -1, 0)
            held.append([column[~np.isnan(column)] for column in columns])
        return cls(
            tuple(
                Residuals.fit(np.concatenate(runs), windows, independent)
                for runs in zip(*held, strict=True)
            )
        )

    @property
    def largest_quantile(self) -> float:
        """The highest possible quantile; 0 if no channel has a band."""
        return max(channel.largest_quantile for channel in self.channels)

    def around(
        self, expected: NDArray[np.float64], scaler: Scaler, quantile: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bounds that a normal value leaves with probability at most 1 - quantile.

        Args:
            expected: Reconstruction of points in the data's units (N, C).
            scaler: Scaler of the model.
            quantile: Share of normal values within the bounds.

        Returns:
            Lower and upper bounds (N, C). NaN where the expected value is NaN, for categorical
            channels, and for those with too few values in the calibration part for the quantile.

        Raises:
            FieldError: If the quantile is too high for every channel.
        """
        largest = self.largest_quantile
        most = max(channel.independent for channel in self.channels)
        require(
            largest == 0 or 0 < quantile <= largest + ROUNDING,
            "quantile",
            f"must be above 0 and at most {largest:.8g}, the limit of {most} calibration values "
            "without overlap",
        )
        far = np.array([channel.bounds(quantile) for channel in self.channels])  # (C, 2)
        lower, upper = (expected + side * np.array(scaler.scale) for side in far.T)
        if scaler.unit_interval:
            return lower.clip(0, 1), upper.clip(0, 1)
        return lower, upper


def ranks(count: int) -> NDArray[np.int64]:
    """Ranks, from one end to the median, that are kept of `count` values.

    They are the first twenty, and then increasingly sparse ones.
    """
    half = (count + 1) // 2
    steps = int(np.log(half) / np.log(GROWTH)) + 2
    growing = np.floor(GROWTH ** np.arange(steps)).astype(np.int64)
    return np.unique(growing.clip(max=half))
