"""How long scores in a series depend on each other."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["autocorrelation_time"]

# The sum of autocorrelations ends at this many times its own value.
WINDOW_FACTOR = 5

# Extremes may depend on each other for longer than usual scores: they are looked at, too.
HIGH_QUANTILE = 0.9


def autocorrelation_time(parts: Sequence[Sequence[NDArray[np.float64]]]) -> float:
    """The number of neighbouring scores that tell as much as one independent score.

    It is the integrated autocorrelation time τ = 1 + 2 Σ ρ(h), with the sum cut at the first lag
    that is at least 5 τ (Sokal 1997, "Monte Carlo methods in statistical mechanics: foundations and
    new algorithms", section 3). Scores may have no variance: the correlations are those of their
    ranks. The larger one of two times counts, that of the ranks and that of the highest tenth.

    Few scores tell little about it, and where it comes out too small by chance, more would be
    promised: its standard error is added to it, τ √(2 (2 M + 1) / n) for n scores and a sum up to
    the lag M (the same source). Dependence that lasts longer than the data is not seen.

    Args:
        parts: Stretches of each part of the data: scores of neighbouring windows (W,), without NaN.
            Scores are compared within their part: those of training windows are lower.

    Returns:
        At least 1, in windows.
    """
    held = [part for part in parts if part]
    return max(_time([kind(part) for part in held]) for kind in (_ranks, _high))


def _ranks(part: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Ranks of the scores of a part, less their mean; tied scores have the same rank."""
    scores = np.concatenate(part)
    _, group, counts = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - counts / 2)[group]
    return _like(part, rank - rank.mean())


def _high(part: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Which scores of a part are among its highest tenth, less their mean."""
    scores = np.concatenate(part)
    high = (scores > np.quantile(scores, HIGH_QUANTILE)).astype(np.float64)
    return _like(part, high - high.mean())


def _like(
    part: Sequence[NDArray[np.float64]], values: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    return np.split(values, np.cumsum([len(stretch) for stretch in part])[:-1])


def _time(parts: Sequence[Sequence[NDArray[np.float64]]]) -> float:
    stretches = [stretch for part in parts for stretch in part]
    products = np.zeros(max(map(len, stretches)))
    for stretch in stretches:
        products[: len(stretch)] += _lagged_products(stretch)
    if products[0] <= 0:
        return 1.0
    times = 2 * np.cumsum(products / products[0]) - 1
    enough = np.arange(len(times)) >= WINDOW_FACTOR * times
    cut = int(np.argmax(enough)) if enough.any() else len(times) - 1
    # Parts may be scores of the same data by different models: they do not add up.
    count = max(sum(map(len, part)) for part in parts)
    error = np.sqrt(2 * (2 * cut + 1) / count)
    return max(1.0, float(times[cut])) * (1 + float(error)) if cut else 1.0


def _lagged_products(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of products of values (n,) at each distance (n,)."""
    size = 1 << (2 * len(values) - 1).bit_length()  # no wrapping around
    power = np.abs(np.fft.rfft(values, size)) ** 2
    products: NDArray[np.float64] = np.fft.irfft(power, size)[: len(values)]
    return products
