"""Labels or flags of single time steps → intervals: stretches of flagged steps."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["intervals"]


def intervals(flags: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First steps of the intervals of flags (N,), and the steps after their last ones."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return edges[::2], edges[1::2]
