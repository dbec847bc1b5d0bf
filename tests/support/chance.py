"""How far shares that are counted may be from what is promised."""

import numpy as np
from scipy import stats

__all__ = ["CHANCE", "binomial_bounds", "highest_share"]

# Of a test that fails though all is well, were its seed another one.
CHANCE = 1e-6


def highest_share(rate: float, windows: int) -> float:
    """The share of independent windows that is flagged at the most, each at this rate."""
    return float(stats.binom(windows, rate).ppf(1 - CHANCE)) / windows


def binomial_bounds(rate: float, windows: int) -> tuple[float, float]:
    """Shares between which that of independent windows lies that are flagged at this rate."""
    counts = stats.binom(windows, rate).ppf(np.array([CHANCE / 2, 1 - CHANCE / 2]))
    return float(counts[0]) / windows, float(counts[1]) / windows
