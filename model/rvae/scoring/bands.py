"""Residuals of normal values → bounds around their reconstruction."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rvae.data.scaler import Scaler
from rvae.errors import require

__all__ = ["Bands", "Residuals"]

# From one kept rank to the next the share of values beyond it grows by no more than this factor,
# where it is not the very next rank.
GROWTH = 1.05

# A quantile that came through decimals must not be pushed to the next rank by rounding.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Residuals:
    """By how much the values of one channel exceed their reconstruction, in units of the scaler.

    Of however many there were a few hundred are kept: those whose ranks, counted from either end,
    `ranks` gives.

    Attributes:
        count: How many there were; 0 for a categorical channel.
        independent: How many of them lie in windows that do not overlap.
        below: The kept ones from the smallest to the median, ascending.
        above: The kept ones from the largest to the median, descending.
    """

    count: int
    independent: int
    below: tuple[float, ...]
    above: tuple[float, ...]

    @classmethod
    def fit(cls, residuals: NDArray[np.float32], windows: int, independent: int) -> "Residuals":
        """Keep the ranks that quantiles are taken from.

        Args:
            residuals: All of them, without NaN.
            windows: How many windows they come from.
            independent: How many of these do not overlap.
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
        """The highest quantile that they support."""
        return max(0.0, 1 - 2 / (self.independent + 1))

    def bounds(self, quantile: float) -> tuple[float, float]:
        """What a fresh residual leaves with probability at most 1 - quantile, half on each side.

        NaN where they are too few for the quantile.
        """
        rank = int((self.independent + 1) * (1 - quantile + 2 * ROUNDING) / 2)
        if not self.count or rank < 1:
            return np.nan, np.nan
        # The rank is that among values without overlap, and the bound has that share of all
        # beyond it.
        rank = 1 + (rank - 1) * self.count // self.independent
        at = int(np.searchsorted(self._ranks, rank, side="right")) - 1
        return self.below[at], self.above[at]

    @cached_property
    def _ranks(self) -> NDArray[np.int64]:
        return ranks(self.count)


@dataclass(frozen=True)
class Bands:
    """Bounds that normal values keep to, around what a model expects.

    The bounds are those of split conformal prediction (Lei et al. 2018, "Distribution-free
    predictive inference for regression", section 2), taken on each side for itself: of n held-out
    residuals that are exchangeable with a fresh one, that one lies beyond the k-th from either end
    with probability at most k / (n + 1). Between the ranks that are kept the next one further out
    is taken, which makes a band a little wider than it has to be.

    What is promised is the share of single values that leave their band, in the long run and over
    all steps of a window. Of a window as a whole nothing is promised: its values hang together,
    so that one that leaves has company, and the more values a window has, the more likely it is
    that one of them leaves. Windows that overlap tell little more than one of them does: ranks are
    taken as among so many values as lie in windows that do not overlap, which lets a band be
    wider, and the highest quantile lower. Of few windows, though they have many values, the share
    scatters from one calibration to the next.

    Residuals are those of single windows. Where several windows cover a point, its expected value
    is their mean, which is nearer to the truth than they are: the band is then on the safe side.

    Attributes:
        channels: Residuals of each channel (C,).
    """

    channels: tuple[Residuals, ...]

    @classmethod
    def fit(cls, residuals: Iterable[NDArray[np.float32]], independent: int) -> "Bands":
        """Keep the ranks of the residuals of held-out normal windows.

        Args:
            residuals: Of some windows at a time (B, T, C), scaled, NaN where there are none.
            independent: How many windows do not overlap.
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
        """The highest quantile that is possible; 0 where no channel has a band."""
        return max(channel.largest_quantile for channel in self.channels)

    def around(
        self, expected: NDArray[np.float64], scaler: Scaler, quantile: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bounds that a normal value leaves with probability at most 1 - quantile.

        Args:
            expected: Reconstruction of points in the data's units (N, C).
            scaler: Of the model.
            quantile: Share of normal values within the bounds.

        Returns:
            Lower and upper bounds (N, C). NaN where nothing is expected, for categorical channels,
            and for those with too few values in the calibration part for the quantile.

        Raises:
            FieldError: If the quantile is beyond what the values of any channel support.
        """
        largest = self.largest_quantile
        most = max(channel.independent for channel in self.channels)
        require(
            largest == 0 or 0 < quantile <= largest + ROUNDING,
            "quantile",
            f"must be above 0 and at most {largest:.8g}, which is what {most} calibration values "
            "without overlap can tell",
        )
        far = np.array([channel.bounds(quantile) for channel in self.channels])  # (C, 2)
        lower, upper = (expected + side * np.array(scaler.scale) for side in far.T)
        if scaler.unit_interval:
            return lower.clip(0, 1), upper.clip(0, 1)
        return lower, upper


def ranks(count: int) -> NDArray[np.int64]:
    """Ranks, from an end to the median, that are kept of so many values.

    They are the first twenty, and then fewer and fewer.
    """
    half = (count + 1) // 2
    steps = int(np.log(half) / np.log(GROWTH)) + 2
    growing = np.floor(GROWTH ** np.arange(steps)).astype(np.int64)
    return np.unique(growing.clip(max=half))
