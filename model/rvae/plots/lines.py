"""Lines with gaps where values are missing."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

__all__ = ["lone_values", "plot_line"]


def lone_values(values: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which values (N,) are between missing ones: they have no line, and need a dot."""
    present = np.isfinite(values)
    return present & ~np.pad(present, (1, 0))[:-1] & ~np.pad(present, (0, 1))[1:]


def plot_line(axes: Axes, x: NDArray[Any], y: NDArray[np.floating], **style: Any) -> None:
    """Draw values (N,) at x (N,), with gaps where they are NaN."""
    lone = lone_values(y)
    if lone.any():
        style |= {"marker": "o", "markersize": 2, "markevery": lone}
    axes.plot(x, y, **style)
