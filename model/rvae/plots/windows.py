"""Windows in a row with their reconstructions, their scores and the threshold."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from rvae.plots.colours import ANOMALY, RECONSTRUCTION, SERIES, TEXT
from rvae.plots.panels import stacked_axes

__all__ = ["plot_scored_windows"]

GAP = 0.12  # Between neighbouring windows, in widths of a window.


def plot_scored_windows(
    windows: NDArray[np.floating],
    reconstructions: NDArray[np.floating],
    scores: NDArray[np.floating],
    threshold: float,
    channels: Sequence[str],
    name: str,
    axes: Sequence[Axes] | None = None,
) -> list[Axes]:
    """Draw windows one after another, and below each its score, red above the threshold.

    The background is transparent.

    Args:
        windows: (W, T, C), NaN where missing.
        reconstructions: (W, T, C), in the same units.
        scores: (W,), nats per value.
        threshold: Scores above it are anomalies.
        channels: Names of the channels.
        name: Noun for a window, in labels.
        axes: One for each channel and one for the scores; those of a new figure if left out.

    Returns:
        The axes, from top to bottom.
    """
    count, steps, _ = windows.shape
    panels = stacked_axes(len(channels), axes, width=9)
    *above, below = panels
    if axes is None and (figure := below.get_figure(root=True)):
        figure.patch.set_alpha(0)
    # The NaN at the end of each window interrupts the line.
    places = np.linspace(GAP / 2, 1 - GAP / 2, steps) + np.arange(count)[:, None]
    x = np.pad(places, ((0, 0), (0, 1)), constant_values=np.nan).ravel()
    for channel, panel in enumerate(above):
        for values, label, color, width in (
            (windows, "series", SERIES, 2.2),
            (reconstructions, "reconstruction", RECONSTRUCTION, 1.3),
        ):
            y = np.pad(values[..., channel], ((0, 0), (0, 1)), constant_values=np.nan)
            panel.plot(x, y.ravel(), label=label, color=color, linewidth=width)
        panel.set_ylabel(channels[channel])
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
    for place in np.flatnonzero(anomalous).tolist():
        for panel in panels:
            panel.axvspan(place, place + 1, color=ANOMALY, alpha=0.15, linewidth=0)
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
    for panel in panels:
        panel.patch.set_alpha(0)
        panel.spines[["top", "right"]].set_visible(False)
        panel.spines[["bottom", "left"]].set_color(TEXT)
        panel.tick_params(colors=TEXT, bottom=False)
        panel.yaxis.set_major_locator(MaxNLocator(4))
        panel.xaxis.label.set_color(TEXT)
        panel.yaxis.label.set_color(TEXT)
    return panels
