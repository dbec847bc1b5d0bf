"""Labels or flags of single time steps → events: stretches of steps without a gap."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["events"]


def events(flags: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First steps of the events, and the steps after their last ones, of flags (N,)."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return edges[::2], edges[1::2]
