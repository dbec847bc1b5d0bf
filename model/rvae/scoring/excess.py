"""By how much the errors of windows exceed those of normal ones.

A window's errors come in parts (W, P): the mean squared error of its reconstruction, channel by
channel, and its distance from the nearest training windows. Each part is compared with its own
level in the training data, and the part that exceeds its level most decides: an average would drown
one odd channel among many that are as usual.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_WINDOWS", "excess", "largest", "levels", "normal_parts"]

# Windows of each part of the data that levels are taken from at the most.
MAX_WINDOWS = 20_000

# The quantile of a part that counts as its level.
LEVEL_QUANTILE = 0.99

HELD_OUT = ("validation", "calibration")

# In variances of the training data: an error as small as that is none. It keeps a channel that is
# reconstructed exactly from deciding by its least significant digits.
FLOOR = 0.01


def levels(parts: NDArray[Any]) -> NDArray[np.float64]:
    """Level of each part (P,), of windows (W, P) that are taken as normal, NaN where unobserved."""
    return np.nan_to_num(np.nanquantile(parts.astype(np.float64), LEVEL_QUANTILE, axis=0))


def normal_parts(
    parts: Mapping[str, NDArray[np.float32]], contamination: float
) -> NDArray[np.float32]:
    """Parts of all windows (W, P) that levels are taken from.

    Levels come from all three parts of the data: of windows that the network was fitted to alone
    they would be too low, by channel and by kind of error in different measure, and the wrong part
    would decide. The threshold of the scores comes from the calibration part, as with any score, so
    that its promise does not depend on them.

    Args:
        parts: Of windows (W, P) of "training", "validation" and "calibration".
        contamination: Share of the held-out windows that is left out, those with the largest
            errors.
    """
    held_out = (_without_largest(parts[name], contamination) for name in HELD_OUT)
    return np.concatenate([parts["training"], *held_out])


def excess(parts: NDArray[Any], level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Excess of each part (W, P) in nats, NaN where it was not observed.

    It is the logarithm of the ratio of root mean squares: zero at the level, log 2 at twice its
    error. Ratios would let the highest of overlapping windows outweigh all others in a mean.
    """
    return 0.5 * np.log((parts + FLOOR) / (level + FLOOR))


def largest(parts: NDArray[Any], level: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest excess of the parts (W, P) of each window (W,), NaN where none was observed."""
    # Unlike np.nanmax this does not warn where there is none.
    highest: NDArray[np.float64] = np.fmax.reduce(excess(parts, level), axis=1)
    return highest


def _without_largest(parts: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Windows (W, P) that are not among the share with the largest errors."""
    highest = largest(parts, levels(parts))
    return parts[~(highest > np.nanquantile(highest, 1 - share))]
