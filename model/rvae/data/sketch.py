"""How the values of each channel are distributed, in a few numbers, and how far others are off."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvae.data.series import Series
from rvae.data.stored import blocks

__all__ = ["ChannelSketch", "sketch", "stability_index"]

# Bins of a numeric channel: each has a tenth of the values, unless many values are the same.
BINS = 10
# Shares of this many rows are known to a thousandth; more would only take time.
MOST_ROWS = 200_000
SEED = 0
# What no bin is emptier than, for logarithms: a value that has never been seen counts as rare.
LEAST_SHARE = 1e-4


@dataclass(frozen=True)
class ChannelSketch:
    """Shares of a channel's values in bins.

    Attributes:
        edges: Bounds between the B bins (B - 1,), ascending. A bin holds its upper bound.
        shares: Share of the values in each bin (B,).
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]

    @classmethod
    def fit(cls, values: NDArray[np.float64], categories: int = 0) -> Self:
        """Sketch values (N,), NaN where missing.

        Args:
            values: Of one channel; of a categorical one whole numbers, 0 for an unknown category.
            categories: Number of categories, each of which gets a bin; 0 for a numeric channel.
        """
        known = values[~np.isnan(values)]
        if categories:
            edges = np.arange(categories) + 0.5
        elif len(known) == 0:
            edges = np.empty(0)
        else:
            cuts = np.arange(1, BINS) / BINS
            edges = np.unique(np.quantile(known, cuts, method="inverted_cdf"))
            low, high = known.min(), known.max()
            # Of a constant channel every other value is in another bin.
            edges = np.array([np.nextafter(low, -np.inf), low]) if low == high else edges
            edges = edges[edges < high] if low < high else edges
        empty = cls(tuple(edges.tolist()), (0.0,) * (len(edges) + 1))
        shares = empty.counts(known) / max(1, len(known))
        return cls(empty.edges, tuple(shares.tolist()))

    def counts(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """How many of some values (N,) are in each bin (B,); missing ones (NaN) are in none."""
        known = values[~np.isnan(values)]
        return np.bincount(np.searchsorted(self.edges, known), minlength=len(self.shares))


def sketch(series: Sequence[Series], categories: Sequence[int]) -> tuple[ChannelSketch, ...]:
    """The sketch of each channel of some series, by some of their rows if there are many.

    Args:
        series: With the same channels.
        categories: Number of categories of each channel, 0 for a numeric one.
    """
    # By chance, as rows at equal distances may all be of the same hour of the day.
    random, kept = np.random.default_rng(SEED), MOST_ROWS / sum(map(len, series))
    rows = [
        block if kept >= 1 else block[random.random(len(block)) < kept]
        for one in series
        for block in blocks(one.values)
    ]
    columns = np.concatenate(rows).T
    return tuple(
        ChannelSketch.fit(np.asarray(column, np.float64), count)
        for column, count in zip(columns, categories, strict=True)
    )


def stability_index(expected: ArrayLike, found: ArrayLike) -> float:
    """Population stability index of shares or counts (B,) against others of the same bins.

    The symmetric Kullback-Leibler divergence (Jeffreys 1946); its name, and 0.1 and 0.25 as what is
    worth a look and what is a change, come from credit scoring (Siddiqi 2006, "Credit risk
    scorecards", chapter 7). Of n independent values of the expected distribution it is about
    (B - 1) / n.
    """
    expected, found = (_shares(np.asarray(one, np.float64)) for one in (expected, found))
    return float(((found - expected) * np.log(found / expected)).sum())


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(counts / counts.sum(), LEAST_SHARE)
