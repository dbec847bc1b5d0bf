"""Residuals of normal values → bounds around their reconstruction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rvae.data.scaler import Scaler
from rvae.errors import require
from rvae.scoring.ranks import quantile_text

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
        blocks: Number of independent blocks that they come from.
        below: Kept residuals from the smallest to the median, ascending.
        above: Kept residuals from the largest to the median, descending.
    """

    count: int
    blocks: int
    below: tuple[float, ...]
    above: tuple[float, ...]

    @classmethod
    def fit(cls, residuals: NDArray[np.float32], blocks: int) -> "Residuals":
        """Keep the residuals that quantiles need.

        Args:
            residuals: All residuals, without NaN.
            blocks: Number of independent blocks that they come from.
        """
        count = len(residuals)
        if not count:
            return cls(0, 0, (), ())
        ascending = np.sort(residuals)
        kept = ranks(count)
        return cls(
            count,
            min(blocks, count),
            tuple(ascending[kept - 1].tolist()),
            tuple(ascending[count - kept].tolist()),
        )

    def joined(self, others: "Residuals") -> "Residuals":
        """These residuals and others, of which each block has the same weight.

        Between kept ranks, residuals count as the next kept one further out: bounds are at least as
        wide as those of all residuals.
        """
        if not (self.count and others.count):
            return self if self.count else others
        count, blocks = self.count + others.count, self.blocks + others.blocks
        shares = [one._shares * one.blocks / blocks for one in (self, others)]
        below = _quantiles(np.concatenate([self.below, others.below]), shares, count)
        above = -_quantiles(-np.concatenate([self.above, others.above]), shares, count)
        return Residuals(count, blocks, tuple(below.tolist()), tuple(above.tolist()))

    @property
    def largest_quantile(self) -> float:
        """The highest quantile that the residuals support."""
        return max(0.0, 1 - 2 / (self.blocks + 1))

    def bounds(self, quantile: float) -> tuple[float, float]:
        """Bounds that a new residual leaves with probability at most 1 - quantile, half per side.

        NaN if there are too few residuals for the quantile.
        """
        # Share of the held-out residuals beyond a bound, such that with one block more, all of
        # which is beyond, it is half of 1 - quantile.
        share = ((self.blocks + 1) * (1 - quantile + 2 * ROUNDING) / 2 - 1) / max(self.blocks, 1)
        if not self.count or share < 0:
            return np.nan, np.nan
        rank = 1 + min(int(share * self.count * (1 + ROUNDING)), (self.count - 1) // 2)
        at = int(np.searchsorted(self._ranks, rank, side="right")) - 1
        return self.below[at], self.above[at]

    @cached_property
    def _ranks(self) -> NDArray[np.int64]:
        return ranks(self.count)

    @property
    def _shares(self) -> NDArray[np.float64]:
        """Share of the residuals from each kept rank to before the next one."""
        return np.diff(self._ranks, append=self.count + 1) / self.count


@dataclass(frozen=True)
class Bands:
    """Bounds of normal values around their expected values.

    The bounds are those of split conformal prediction (Lei et al. 2018, "Distribution-free
    predictive inference for regression", section 2), on each side separately, with the ranks of
    values in blocks (see `rvae.scoring.ranks.Ranks`): a new normal value lies beyond the bound of
    either side with probability at most half of 1 - quantile. Between kept ranks the next one
    further out is taken, which makes a band slightly too wide.

    The promise is on the share of single values that leave their band, in the long run, over all
    steps of a window, and on average over calibrations. There is no promise for a window as a
    whole: its values are correlated, and the more values a window has, the more likely it is that
    one of them leaves its band. What the values of a window have in common, such as an error of its
    level, is seen once per block, however many values that has: K blocks show no higher quantile
    than 1 - 2 / (K + 1).

    Residuals are those of single windows. Where several windows cover a point, its expected value
    is their mean, which is more accurate: the band is then conservative.

    Attributes:
        channels: Residuals of each channel (C,).
    """

    channels: tuple[Residuals, ...]

    @classmethod
    def fit(cls, residuals: Iterable[NDArray[np.float32]], blocks: int) -> "Bands":
        """Fit to the residuals of held-out normal windows.

        Args:
            residuals: Residuals of batches of windows (B, T, C), scaled, NaN where missing.
            blocks: Number of independent blocks of windows.
        """
        held = []
        for run in residuals:
            columns = np.moveaxis(run, -1, 0)
            held.append([column[~np.isnan(column)] for column in columns])
        return cls(
            tuple(Residuals.fit(np.concatenate(runs), blocks) for runs in zip(*held, strict=True))
        )

    def joined(self, others: "Bands") -> "Bands":
        """Bands by the residuals of both, see `Residuals.joined`."""
        pairs = zip(self.channels, others.channels, strict=True)
        return Bands(tuple(mine.joined(other) for mine, other in pairs))

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
        most = max(channel.blocks for channel in self.channels)
        require(
            largest == 0 or 0 < quantile <= largest + ROUNDING,
            "quantile",
            f"must be above 0 and at most {quantile_text(largest)}, the limit of {most} "
            "independent blocks of calibration values",
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


def _quantiles(
    values: NDArray[np.float64], shares: Sequence[NDArray[np.float64]], count: int
) -> NDArray[np.float64]:
    """Values at the kept ranks of `count`, among values (n,) with shares that sum to one.

    They are rounded down, to values below which there is no larger share than below the rank.
    """
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(np.concatenate(shares)[order])  # share of these values and lower ones
    wanted = (ranks(count) - 1) / count
    at = np.searchsorted(reached, wanted + ROUNDING, side="right")
    return values[order][at.clip(max=len(values) - 1)]
