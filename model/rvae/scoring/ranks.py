"""Ranks of a new value among held-out ones that come in blocks: tail probabilities, thresholds."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Ranks", "blocks_needed", "quantile_of", "quantile_text"]

# Rounding of decimal probabilities must not move them to the next rank.
ROUNDING = 1e-9
DECIMALS = 12  # of quantiles and tail probabilities
SHOWN = 6  # decimals of a quantile in a sentence


@dataclass(frozen=True, eq=False)
class Ranks:
    """Held-out values in K blocks, as the distribution of a new value.

    The values of one block may depend on each other in any way. A new value comes from a block of
    its own, which is exchangeable with the K held-out ones. Then the probability that
    `tail_probability` of the new value is at most α is at most α, for any distribution: it is the
    p-value of hierarchical conformal prediction (Dunn, Wasserman and Ramdas 2022,
    "Distribution-free prediction sets for two-layer hierarchical models"; Lee, Barber and Willett
    2023, "Distribution-free inference with hierarchical data", section 3), in which every block has
    the same weight. With blocks of one value it is the usual conformal p-value.

    Nothing is rarer than 1 / (K + 1), however many values a block has.

    Attributes:
        values: Values in ascending order (n,).
        weights: Weight of each value (n,): 1 / (K times the number of values in its block).
        blocks: Number of blocks K.
    """

    values: NDArray[np.float64]
    weights: NDArray[np.float64]
    blocks: int

    @classmethod
    def fit(cls, values: NDArray[np.float64], block: NDArray[np.int64]) -> "Ranks":
        """Sort values (n,), of which each belongs to a block with a number from 0 on (n,)."""
        sizes = np.bincount(block)
        present = sizes[sizes > 0]
        order = np.argsort(values, kind="stable")
        weights = 1 / (len(present) * sizes[block[order]])
        return cls(values[order], weights, len(present))

    @property
    def smallest(self) -> float:
        """The smallest tail probability, that of a value above all held-out ones."""
        return 1 / (self.blocks + 1)

    def tail_probability(self, values: ArrayLike) -> NDArray[np.float64]:
        """Probability of a new value at least as high, rounded up by one block; NaN for NaN.

        It has so many decimals that it is at most 1 - `quantile_of` of the same probability to the
        bit: who compares it with 1 - quantile finds what the threshold says.
        """
        values = np.asarray(values, dtype=np.float64)
        probability = self._probabilities[np.searchsorted(self.values, values, side="left")]
        return np.where(np.isnan(values), np.nan, probability)

    def tail_probability_above(self, value: float) -> float:
        """Tail probability of the next higher value: what the threshold `value` promises."""
        return float(self._tails[np.searchsorted(self.values, value, side="right")])

    def threshold(self, probability: float) -> float:
        """The lowest held-out value above which all tail probabilities are at most `probability`.

        Args:
            probability: At least `smallest`.
        """
        # The tails fall: the first position at which a higher value is rare enough.
        rare = int(self._tails[::-1].searchsorted(probability + 10.0**-DECIMALS, side="right"))
        return float(self.values[max(len(self.values) - max(rare, 1), 0)])

    @cached_property
    def _tails(self) -> NDArray[np.float64]:
        """Tail probability of a value above the first i held-out ones (n + 1,), falling."""
        above = np.append(np.cumsum(self.weights[::-1])[::-1], 0.0).clip(max=1.0)
        return (self.blocks * above + 1) / (self.blocks + 1)

    @cached_property
    def _probabilities(self) -> NDArray[np.float64]:
        """The tails (n + 1,) with the decimals of quantiles."""
        return 1 - np.round(1 - self._tails, DECIMALS)


def blocks_needed(probability: float) -> int:
    """Number of blocks for a tail probability as small as this."""
    return int(np.ceil(1 / probability - 1 - ROUNDING))


def quantile_of(probability: float) -> float:
    """The quantile above which values have at most a tail probability."""
    return round(1 - probability, DECIMALS)


def quantile_text(quantile: float) -> str:
    """A quantile, rounded down: as it is told, it can be asked for."""
    scale: float = 10**SHOWN
    return f"{math.floor(quantile * scale * (1 + ROUNDING)) / scale:g}"
