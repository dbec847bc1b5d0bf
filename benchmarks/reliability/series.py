"""Stationary series of errors of several kinds, of which a model has explained all that it can."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

__all__ = ["KINDS", "Kind"]

Kind = Callable[[np.random.Generator, int, int], NDArray[np.float64]]
"""Draws a new series (N, C) of N points and C channels."""

SHORT_PERIOD, LONG_PERIOD = 12, 200  # steps; windows have 32
OFFSET_STEPS = 100
VOLATILITY = 0.5  # standard deviation of the logarithm of the scale


def independent(random: np.random.Generator, points: int, channels: int) -> NDArray[np.float64]:
    """Normal noise."""
    return random.standard_normal((channels, points)).T  # by channel, which is quicker from here on


def heavy_tailed(random: np.random.Generator, points: int, channels: int) -> NDArray[np.float64]:
    """Student's t with three degrees of freedom: a finite variance, and no fourth moment."""
    return random.standard_t(3, (channels, points)).T


def autoregressive(coefficient: float) -> Kind:
    """Stationary, of order one, with unit variance."""

    def draw(random: np.random.Generator, points: int, channels: int) -> NDArray[np.float64]:
        noise = independent(random, points, channels)
        noise[1:] *= np.sqrt(1 - coefficient**2)
        series: NDArray[np.float64] = lfilter([1.0], [1.0, -coefficient], noise.T).T
        return series

    return draw


def seasonal(period: int) -> Kind:
    """Noise whose scale has a period, with a random phase that all channels share."""

    def draw(random: np.random.Generator, points: int, channels: int) -> NDArray[np.float64]:
        phase = random.uniform(0, 2 * np.pi)
        scale = np.exp(VOLATILITY * np.sin(2 * np.pi * np.arange(points) / period + phase))
        return scale[:, None] * independent(random, points, channels)

    return draw


def offset(random: np.random.Generator, points: int, channels: int) -> NDArray[np.float64]:
    """Noise around an offset of each channel that lasts for a stretch, with a random phase."""
    stretch = (np.arange(points) + random.integers(OFFSET_STEPS)) // OFFSET_STEPS
    levels = independent(random, int(stretch[-1]) + 1, channels)
    return levels[stretch] + independent(random, points, channels)


def volatile(coefficient: float) -> Kind:
    """Noise whose scale changes slowly, in all channels alike: its logarithm is autoregressive."""

    def draw(random: np.random.Generator, points: int, channels: int) -> NDArray[np.float64]:
        scale = np.exp(VOLATILITY * autoregressive(coefficient)(random, points, 1))
        return scale * independent(random, points, channels)

    return draw


KINDS: dict[str, Kind] = {
    "iid": independent,
    "AR(0.9)": autoregressive(0.9),
    "AR(0.99)": autoregressive(0.99),
    "seasonal, period 12": seasonal(SHORT_PERIOD),
    "seasonal, period 200": seasonal(LONG_PERIOD),
    "heavy-tailed (t3)": heavy_tailed,
    "offset of 100 steps": offset,
    "volatility of 200 steps": volatile(0.99),
    "volatility of 1,000 steps": volatile(0.998),
}
