"""A seeded generator of waves whose normal form a small model learns in seconds."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["anomalous_waves", "waves"]


def waves(count: int, steps: int = 32, channels: int = 1, seed: int = 0) -> NDArray[np.float64]:
    """Sines of random phase and amplitude with a little noise: (count, steps, channels).

    Every phase is equally likely, so that their mean curve is flat: a model that ignores its
    latent explains nothing of them. The channels of one window are shifted by a fixed angle.
    """
    random = np.random.default_rng(seed)
    phase = random.uniform(0, 2 * np.pi, (count, 1, 1))
    amplitude = random.uniform(0.5, 1.5, (count, 1, 1))
    angle = np.linspace(0, 2 * np.pi, steps, endpoint=False)[None, :, None]
    shift = np.arange(channels)[None, None]
    clean = amplitude * np.sin(angle + phase + shift)
    return 20 + 3 * (clean + random.normal(0, 0.05, clean.shape))


def anomalous_waves(
    count: int, steps: int = 32, channels: int = 1, seed: int = 0
) -> NDArray[np.float64]:
    """The same with a bump of a few steps in each window, inside the range of normal values."""
    random = np.random.default_rng(seed + 1)
    series = waves(count, steps, channels, seed)
    for window in series:
        start = random.integers(0, steps - 6)
        window[start : start + 6] = 40 - window[start : start + 6]
    return series
