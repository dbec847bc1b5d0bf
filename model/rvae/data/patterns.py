"""Synthetic series of recurring patterns, with a ground-truth code of every step.

A pattern is a sum of sines in each channel, each with whole cycles per pattern. Every channel of
every pattern has mean 0 and standard deviation 1: level and spread do not identify it. A series
is a random sequence of patterns, with stretches of white noise of the same mean and spread between
some of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvae.errors import require

__all__ = [
    "NOISE",
    "STEPS_PER_CYCLE",
    "PatternsConfig",
    "generate",
    "new_patterns",
    "window_labels",
]

NOISE = 0  # the code of noise; patterns have codes from 1 on

# With fewer steps per cycle, a sine would look like noise in a plot.
STEPS_PER_CYCLE = 8

# Purposes of random numbers. Each has its own stream, independent of the others.
KNOWN, NEW, SERIES = range(3)


@dataclass(frozen=True)
class PatternsConfig:
    """Patterns, and a series of them.

    Attributes:
        patterns: How many different ones.
        channels: Channels of the series.
        length: Time steps of a pattern, and of a stretch of noise.
        sines: Sines that add up to one channel of a pattern.
        repeats: Occurrences of patterns and of noise in the series, one after the other.
        noise: Share of the occurrences that are noise instead of a pattern.
        scatter: Standard deviation of white noise that is added to everything.
        seed: Seed of the patterns: the same for all data of the same patterns.
        order_seed: Seed of everything else. Another one gives new data of the same patterns.
    """

    patterns: int = 30
    channels: int = 7
    length: int = 128
    sines: int = 5
    repeats: int = 300
    noise: float = 0.1
    scatter: float = 0.1
    seed: int = 0
    order_seed: int = 0

    def __post_init__(self) -> None:
        for name in ("patterns", "channels", "sines", "repeats"):
            require(getattr(self, name) >= 1, f"patterns.{name}", "must be at least 1")
        require(
            self.length >= STEPS_PER_CYCLE, "patterns.length", f"must be at least {STEPS_PER_CYCLE}"
        )
        require(
            self.sines <= self.max_cycles,
            "patterns.sines",
            f"at most {self.max_cycles} different ones fit into {self.length} steps: "
            "ask for fewer, or raise patterns.length",
        )
        require(0 <= self.noise <= 1, "patterns.noise", "must be in [0, 1]")
        require(self.scatter >= 0, "patterns.scatter", "must not be negative")
        for name in ("seed", "order_seed"):
            require(
                0 <= getattr(self, name) < 2**32, f"patterns.{name}", "must be in [0, 4294967296)"
            )

    @property
    def max_cycles(self) -> int:
        """Cycles of the fastest sine that a pattern may hold."""
        return self.length // STEPS_PER_CYCLE


def generate(config: PatternsConfig) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """A series of patterns and noise, the same for the same configuration.

    Returns:
        Values (N, C), N = repeats * length, and the code (N,) of each step: `NOISE`, or the
        pattern from 1 to `config.patterns`.
    """
    random = np.random.default_rng([config.seed, SERIES, config.order_seed])
    chosen = random.integers(config.patterns, size=config.repeats)
    values = _patterns(config, KNOWN)[chosen]  # (repeats, length, C)
    codes = 1 + chosen
    noisy = random.choice(config.repeats, round(config.noise * config.repeats), replace=False)
    codes[noisy] = NOISE
    values[noisy] = random.normal(size=(len(noisy), *values.shape[1:]))
    values += random.normal(0, config.scatter, values.shape)
    return values.reshape(-1, config.channels), np.repeat(codes, config.length)


def new_patterns(config: PatternsConfig) -> NDArray[np.float64]:
    """As many patterns that no series of this configuration holds (patterns, length, C)."""
    return _patterns(config, NEW)


def window_labels(
    codes: NDArray[np.int64], starts: NDArray[np.int64], window: int
) -> NDArray[np.int64]:
    """The most frequent code (W,) of each window; in a tie, the smallest.

    Args:
        codes: One for each step of a series (N,).
        starts: First steps of the windows (W,).
        window: Time steps of a window.

    Raises:
        FieldError: If a window is empty or reaches beyond the series.
    """
    require(window >= 1, "window", "must be at least 1")
    require(
        bool(((starts >= 0) & (starts <= len(codes) - window)).all()),
        "starts",
        f"a window of {window} steps reaches beyond the series, which has {len(codes)}",
    )
    labels = np.zeros(len(starts), dtype=np.int64)
    most = np.zeros(len(starts), dtype=np.int64)
    for code in np.unique(codes):
        before = np.append(0, np.cumsum(codes == code))
        steps = before[starts + window] - before[starts]
        labels[steps > most] = code
        most = np.maximum(most, steps)
    return labels


def _patterns(config: PatternsConfig, purpose: int) -> NDArray[np.float64]:
    """All patterns for one purpose (patterns, length, C)."""
    random = np.random.default_rng([config.seed, purpose])
    channels = (config.patterns, 1, config.channels)
    fast = np.broadcast_to(np.arange(config.max_cycles) + 1, (*channels, config.max_cycles))
    cycles = random.permuted(fast, axis=-1)[..., : config.sines]  # (patterns, 1, C, sines)
    amplitude = random.uniform(0.5, 1.5, cycles.shape)
    phase = random.uniform(0, 2 * np.pi, cycles.shape)
    # Sines of different whole cycles are orthogonal: their variances, a²/2 each, add up.
    amplitude /= np.sqrt((amplitude**2).sum(axis=-1, keepdims=True) / 2)
    step = np.arange(config.length)[:, None, None] / config.length
    return (amplitude * np.sin(2 * np.pi * cycles * step + phase)).sum(axis=-1)
