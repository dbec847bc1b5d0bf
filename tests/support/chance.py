"""How far shares that are counted may be from what is promised."""

import math

from scipy import stats

__all__ = ["CHANCE", "highest_share", "highest_share_of_fitted"]

# Of a test that fails though all is well, were its seed another one.
CHANCE = 1e-6


def highest_share(rate: float, windows: int) -> float:
    """The share of independent windows that is flagged at the most, each at this rate."""
    return float(stats.binom(windows, rate).ppf(1 - CHANCE)) / windows


def highest_share_of_fitted(quantile: float, calibration: int, windows: int) -> float:
    """The same of a threshold that was taken from so many calibration windows.

    Its own rate scatters: with k calibration windows at or above it, it is Beta(k, n + 1 - k)
    distributed. One calibration in a hundred may be worse than this.
    """
    above = calibration + 1 - math.ceil((calibration + 1) * quantile - 1e-9)
    shares = stats.betabinom(windows, above, calibration + 1 - above)
    return float(shares.ppf(0.99)) / windows
