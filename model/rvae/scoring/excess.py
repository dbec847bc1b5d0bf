"""Excess of the errors of windows over those of normal ones.

A window's errors have parts (W, P): the mean squared error of its reconstruction, per channel, and
its distance from the nearest training windows. Each part is compared with its own level in the
training data, and the largest excess decides: an average would hide one anomalous channel among
many normal ones.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.scoring import aggregation
from rvae.scoring.evidence import Placement

__all__ = ["FLOOR", "MAX_WINDOWS", "errors_by_point", "excess", "largest", "levels", "normal_parts"]

# Maximum number of windows of each part of the data that levels are estimated from.
MAX_WINDOWS = 20_000

# The quantile of a part that counts as its level.
LEVEL_QUANTILE = 0.99

# Errors below this share of the variance of the training data count as zero, so that rounding
# errors of an exactly reconstructed channel do not decide.
FLOOR = 0.01


def levels(parts: NDArray[Any]) -> NDArray[np.float64]:
    """Level of each part (P,) in normal windows (W, P), NaN where unobserved."""
    return np.nan_to_num(np.nanquantile(parts.astype(np.float64), LEVEL_QUANTILE, axis=0))


def normal_parts(
    parts: Mapping[str, NDArray[np.float32]], contamination: float
) -> NDArray[np.float32]:
    """Parts of all windows (W, P) that levels are estimated from.

    Levels of training windows alone would be too low, to a different degree for each channel and
    type of error, and the wrong part would decide. Windows that the threshold is calibrated on have
    no influence: the more parts there are, the more of their largest excesses would be zero, and
    those of new windows above.

    Args:
        parts: Parts of windows (W, P) of "training" and "validation".
        contamination: Share of the validation windows with the largest errors that is left out.
    """
    validation = _without_largest(parts["validation"], contamination)
    return np.concatenate([parts["training"], validation])


def excess(parts: NDArray[Any], level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Excess of each part (W, P) in nats, NaN where it was not observed.

    It is the logarithm of the ratio of root mean squares: zero at the level, log 2 at twice its
    error. In a mean of ratios the highest of overlapping windows would outweigh all others.
    """
    return 0.5 * np.log((parts + FLOOR) / (level + FLOOR))


def errors_by_point(
    excess: NDArray[np.float64], errors: NDArray[Any], placement: Placement
) -> NDArray[np.float64]:
    """Mean squared error of each point (N,) as a multiple of the level, NaN where missing.

    Unlike an excess it is never negative, and in windows whose excess different parts decide it has
    the same unit.

    Args:
        excess: Excess of each window (W,).
        errors: Squared errors of the part that decides (W, T, C), NaN where missing.
        placement: Positions of the windows.
    """
    steps = aggregation.sum_of_observed(errors)  # (W, T)
    total = np.nansum(steps, axis=1)
    mean = total / np.maximum((~np.isnan(steps)).sum(axis=1), 1)
    multiples = steps * (np.exp(2 * excess) / np.where(total > 0, mean, 1.0))[:, None]
    return aggregation.mean_by_point(multiples, placement.starts, placement.length)


def largest(parts: NDArray[Any], level: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest excess of the parts (W, P) of each window (W,), NaN where none was observed."""
    # Unlike np.nanmax this does not warn if all are NaN.
    highest: NDArray[np.float64] = np.fmax.reduce(excess(parts, level), axis=1)
    return highest


def _without_largest(parts: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Windows (W, P) that are not among the share with the largest errors."""
    highest = largest(parts, levels(parts))
    return parts[~(highest > np.nanquantile(highest, 1 - share))]
