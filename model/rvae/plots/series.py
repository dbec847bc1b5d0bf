"""A scored series: each channel with its reconstruction and band, and the score below."""

from collections.abc import Sequence
from typing import Any

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.patches import Patch

from rvae.plots.colours import ANOMALY, RECONSTRUCTION, SERIES, TEXT
from rvae.plots.downsampling import drawn_steps, steps_per_bin
from rvae.plots.lines import plot_line
from rvae.plots.panels import stacked_axes
from rvae.plots.scored_series import ScoredSeries

__all__ = ["axis_notes", "plot_scored_series"]

NAMED_CATEGORIES = 12
# Scores so many times as high as the threshold would flatten it: a logarithmic axis shows both.
HIGH_SCORES = 20
EVENT_FACE, EVENT_EDGE = to_rgba(ANOMALY, 0.15), to_rgba(ANOMALY, 0.5)


def plot_scored_series(
    scored: ScoredSeries,
    channels: Sequence[str] | None = None,
    axes: Sequence[Axes] | None = None,
) -> list[Axes]:
    """Draw channels with their reconstruction and band, the score below, and events across all.

    Of a long series the extremes of every bin are drawn, and the horizontal axis says so.

    Args:
        scored: The series.
        channels: Names of the channels; if left out all, or those that lead in events of many.
        axes: One for each channel and one for the score; those of a new figure if left out.

    Returns:
        The axes, from top to bottom.

    Raises:
        FieldError: If a channel is unknown, or the number of axes is wrong.
    """
    shown = scored.shown(channels)
    panels = stacked_axes(len(shown), axes, width=10)
    *above, below = panels
    for channel, panel in zip(shown, above, strict=True):
        _draw_channel(panel, scored, channel)
    _draw_score(below, scored)
    for panel in panels:
        _draw_events(panel, scored)
        panel.spines[["top", "right"]].set_visible(False)
        panel.margins(x=0.01)
    if above:
        _draw_key(above[0], scored)
    panels[0].set_title(scored.name, loc="right", fontsize=10, parse_math=False)
    _label_places(below, scored, len(shown))
    return panels


def axis_notes(scored: ScoredSeries, shown: int) -> list[str]:
    """What the label of the horizontal axis says: its quantity, and what is left out."""
    notes = ["time step" if scored.times is None else "time"]
    if (size := steps_per_bin(len(scored))) > 1:
        notes.append(f"of {size:,} steps each the first, last, lowest and highest are drawn")
    if shown < len(scored.channels):
        notes.append(f"{shown} of {len(scored.channels)} channels")
    return notes


def _draw_channel(axes: Axes, scored: ScoredSeries, channel: int) -> None:
    values, reconstruction = scored.values[:, channel], scored.reconstruction[:, channel]
    steps = drawn_steps((values, reconstruction), len(scored), scored.spans.ravel())
    x = scored.places[steps]
    categories = scored.category_names(channel)
    # A category holds until the next one.
    style: dict[str, Any] = {"drawstyle": "steps-post"} if categories else {}
    if scored.lower is not None and scored.upper is not None:
        lower, upper = scored.lower[steps, channel], scored.upper[steps, channel]
        axes.fill_between(x, lower, upper, color=RECONSTRUCTION, alpha=0.25, linewidth=0)
    plot_line(axes, x, values[steps], color=SERIES, linewidth=1.6, label="series", **style)
    plot_line(
        axes,
        x,
        reconstruction[steps],
        color=RECONSTRUCTION,
        linewidth=1.0,
        label="reconstruction",
        **style,
    )
    axes.set_ylabel(scored.label(channel), parse_math=False)
    if 0 < len(categories) <= NAMED_CATEGORIES:
        axes.set_yticks(list(categories), list(categories.values()), parse_math=False)


def _draw_score(axes: Axes, scored: ScoredSeries) -> None:
    scores, thresholds = scored.scores, scored.thresholds
    curves = [scores] if thresholds is None else [scores, thresholds]
    steps = drawn_steps(curves, len(scored), scored.spans.ravel())
    x = scored.places[steps]
    plot_line(axes, x, scores[steps], color=TEXT, linewidth=1.3, label="score")
    axes.set_ylabel("score")
    if thresholds is None:
        return
    known = thresholds[~np.isnan(thresholds)]
    name = "threshold"
    if len(known) and np.isclose(known.min(), known.max()):
        name += f" {known[0]:.3g}"
    plot_line(axes, x, thresholds[steps], color=ANOMALY, linewidth=1.2, linestyle="--", label=name)
    if len(known) and 0 < known.min() < np.nanmax(scores) / HIGH_SCORES:
        axes.set_yscale("symlog", linthresh=float(known.min()))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 0.97), ncols=2, frameon=False, borderaxespad=0)


def _draw_events(axes: Axes, scored: ScoredSeries) -> None:
    """Shade events; the outline keeps a single step visible in a series of any length."""
    if not scored.events:
        return
    edges = np.asarray(axes.convert_xunits(scored.places[scored.spans]))  # (E, 2)
    corners = [[(a, 0), (a, 1), (b, 1), (b, 0)] for a, b in edges.tolist()]
    axes.add_collection(
        PolyCollection(
            corners,
            transform=axes.get_xaxis_transform(),
            facecolor=EVENT_FACE,
            edgecolor=EVENT_EDGE,
            linewidth=0.8,
            zorder=0.5,
        ),
        autolim=False,
    )


def _draw_key(axes: Axes, scored: ScoredSeries) -> None:
    handles: list[Any] = list(axes.lines)
    if scored.coverage and scored.lower is not None:
        band = f"band of {100 * scored.coverage:.4g} % of normal values"
        handles.append(Patch(color=RECONSTRUCTION, alpha=0.25, linewidth=0, label=band))
    if scored.events:
        count = len(scored.events)
        label = f"{count} event{'s'[: count > 1]}"
        handles.append(Patch(facecolor=EVENT_FACE, edgecolor=EVENT_EDGE, label=label))
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=4,
        frameon=False,
        borderaxespad=0.2,
    )


def _label_places(axes: Axes, scored: ScoredSeries, shown: int) -> None:
    axes.set_xlabel("\n".join(axis_notes(scored, shown)))
    if scored.times is not None:
        locator = mdates.AutoDateLocator()
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
