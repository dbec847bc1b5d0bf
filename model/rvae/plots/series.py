"""A series with its reconstruction and its scores."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

__all__ = ["plot_scored_series"]


def plot_scored_series(
    values: NDArray[np.float64],
    reconstruction: NDArray[np.float64],
    point_scores: NDArray[np.float64],
    channels: Sequence[str],
    title: str,
) -> Figure:
    """Draw each channel with its reconstruction, and the score of each point below.

    Args:
        values: The series (N, C), NaN where missing.
        reconstruction: (N, C), in the same units.
        point_scores: (N,), nats per value.
        channels: Names of the channels.
        title: Title of the plot.
    """
    figure = Figure(figsize=(8, 2 * len(channels) + 1.5), layout="constrained")
    *above, below = figure.subplots(len(channels) + 1, sharex=True)
    for axes, name, observed, reconstructed in zip(
        above, channels, values.T, reconstruction.T, strict=True
    ):
        axes.plot(observed, label="series")
        axes.plot(reconstructed, label="reconstruction")
        axes.set_ylabel(name)
    above[0].legend(loc="best")
    above[0].set_title(title)
    below.fill_between(np.arange(len(point_scores)), point_scores, step="mid", alpha=0.6)
    below.set_ylabel("score")
    below.set_xlabel("time step")
    return figure
