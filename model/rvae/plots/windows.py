"""Windows in a row with their reconstructions, their scores and the threshold."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

__all__ = ["plot_scored_windows"]

# Colours that can be read on white and on black, since the background stays transparent.
TEXT, SERIES, RECONSTRUCTION, ANOMALY = "#7d8590", "#4184c4", "#e8912d", "#e5484d"
GAP = 0.12  # Between neighbouring windows, in widths of a window.


def plot_scored_windows(
    windows: NDArray[np.floating],
    reconstructions: NDArray[np.floating],
    scores: NDArray[np.floating],
    threshold: float,
    channels: Sequence[str],
    name: str,
) -> Figure:
    """Draw windows one after another, and below each its score, red above the threshold.

    Args:
        windows: (W, T, C), NaN where missing.
        reconstructions: (W, T, C), in the same units.
        scores: (W,), nats per value.
        threshold: Scores above it are anomalies.
        channels: Names of the channels.
        name: Noun for a window, in labels.
    """
    count, steps, _ = windows.shape
    figure = Figure(figsize=(9, 1.4 * len(channels) + 1.9), layout="constrained")
    heights = [*[1.2] * len(channels), 1]
    *above, below = figure.subplots(len(heights), sharex=True, height_ratios=heights)
    # The NaN at the end of each window interrupts the line.
    places = np.linspace(GAP / 2, 1 - GAP / 2, steps) + np.arange(count)[:, None]
    x = np.pad(places, ((0, 0), (0, 1)), constant_values=np.nan).ravel()
    for channel, axes in enumerate(above):
        for values, label, style in (
            (windows, "series", {"color": SERIES, "linewidth": 2.2}),
            (reconstructions, "reconstruction", {"color": RECONSTRUCTION, "linewidth": 1.3}),
        ):
            y = np.pad(values[..., channel], ((0, 0), (0, 1)), constant_values=np.nan)
            axes.plot(x, y.ravel(), label=label, **style)
        axes.set_ylabel(channels[channel])
    above[0].legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, labelcolor=TEXT
    )
    anomalous = scores > threshold
    centres = np.arange(count) + 0.5
    colors = np.where(anomalous, ANOMALY, SERIES).tolist()
    below.vlines(centres, 0, scores, color=colors, linewidth=2.2)
    below.scatter(centres, scores, color=colors, zorder=3)
    below.axhline(threshold, color=ANOMALY, linestyle="--", linewidth=1.2)
    below.annotate(
        f"threshold {threshold:.3g}",
        (0, threshold),
        xytext=(2, 3),
        textcoords="offset points",
        color=ANOMALY,
    )
    for place in np.flatnonzero(anomalous):
        for axes in (*above, below):
            axes.axvspan(place, place + 1, color=ANOMALY, alpha=0.15, linewidth=0)
        above[0].annotate(
            f"anomaly, score {scores[place]:.3g}",
            (place + 0.5, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            color=ANOMALY,
            fontweight="bold",
        )
    below.set_xlim(0, count)
    below.set_xticks(centres, [str(number) for number in range(count)])
    below.set_xlabel(name)
    below.set_ylabel("score")
    for axes in (*above, below):
        axes.patch.set_alpha(0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["bottom", "left"]].set_color(TEXT)
        axes.tick_params(colors=TEXT, bottom=False)
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.label.set_color(TEXT)
        axes.yaxis.label.set_color(TEXT)
    figure.align_ylabels()
    figure.patch.set_alpha(0)
    return figure
