"""Which steps of a long series are drawn."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from tsdownsample import M4Downsampler

from rvae.data.intervals import intervals

__all__ = ["drawn_steps", "steps_per_bin"]

# About as many as a screen has columns of pixels.
BINS = 2000
# First, last, lowest and highest: a line through them covers the same pixels as the whole one.
STEPS_PER_BIN = 4


def steps_per_bin(length: int) -> int:
    """Steps of a series with N points that share a bin; 1 if every step is drawn."""
    return max(1, length // BINS) if length > STEPS_PER_BIN * BINS else 1


def drawn_steps(
    curves: Iterable[NDArray[np.floating]], length: int, kept: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Steps to draw of curves over the same N points, ascending; all of them if they are few.

    These are the first, the last, the lowest and the highest of each curve in each of 2,000 bins
    (M4; Jugel et al. 2014, "M4: a visualization-oriented time series data aggregation"), so that no
    extreme is lost, and the borders of every gap that is wider than a bin.

    Args:
        curves: Values (N,), NaN where missing.
        length: Number of points N.
        kept: Steps that are drawn in any case.
    """
    size = steps_per_bin(length)
    if size == 1:
        return np.arange(length)
    steps = [kept]
    for curve in curves:
        # It reads past the steps of an array that is not contiguous.
        values = np.ascontiguousarray(curve, dtype=np.float64)
        steps.append(M4Downsampler().downsample(values, n_out=STEPS_PER_BIN * BINS))
        starts, ends = intervals(np.isnan(values))
        wide = ends - starts > size
        steps += [starts[wide], starts[wide] - 1, ends[wide]]
    return np.unique(np.concatenate(steps).astype(np.int64).clip(0, length - 1))
