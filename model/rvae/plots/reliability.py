"""Promised rates and measured ones."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rvae.errors import require
from rvae.plots.colours import ANOMALY, SERIES, TEXT

__all__ = ["MeasuredRate", "plot_reliability"]

SMALL = 7  # Points of small print.
MARGIN = 4.0  # factor beyond the outermost rate, on logarithmic axes


class MeasuredRate(Protocol):
    """A rate that is promised, and the one that was measured, with its interval."""

    @property
    def promised(self) -> float:
        """The rate that is promised, above 0."""

    @property
    def measured(self) -> float:
        """The rate that was measured."""

    @property
    def low(self) -> float:
        """Lower end of its interval."""

    @property
    def high(self) -> float:
        """Upper end of its interval, above 0."""

    @property
    def most(self) -> float:
        """The measured rate up to which chance explains the difference."""


def plot_reliability(
    windows: Sequence[MeasuredRate],
    events: Sequence[MeasuredRate],
    smallest: tuple[float, float],
    unit: tuple[str, float],
    axes: Sequence[Axes] | None = None,
) -> tuple[Axes, Axes]:
    """Draw measured rates over promised ones, of windows and of events.

    What is promised is on the diagonal or below. Chance explains what lies in the light band above
    it. In the grey region nothing is promised.

    Args:
        windows: Shares of windows that are flagged, at some thresholds; the model's own is first.
        events: Events in a step, at the same thresholds.
        smallest: The smallest share of windows, and rate of events, that is promised.
        unit: Unit of time of the events, and the number of steps that it has.
        axes: Two; those of a new figure if left out.

    Returns:
        The axes of windows and of events.

    Raises:
        FieldError: If there are not two axes.
    """
    if axes is None:
        axes = Figure(figsize=(9, 4.4), layout="constrained").subplots(1, 2).tolist()
    require(len(axes) == 2, "axes", f"expected 2, got {len(axes)}")
    left, right = axes
    _draw(left, windows, smallest[0], 100.0, "% of normal windows")
    _draw(right, events, smallest[1], unit[1], f"false events per {unit[0]}")
    left.legend(loc="upper left", fontsize=SMALL, framealpha=0.6)
    return left, right


def _draw(
    axes: Axes, rates: Sequence[MeasuredRate], smallest: float, factor: float, name: str
) -> None:
    """Draw rates times a factor."""
    ordered = sorted(rates, key=lambda rate: rate.promised)
    promised = factor * np.array([rate.promised for rate in ordered])
    most = factor * np.array([rate.most for rate in ordered])
    shown = [factor * smallest, *promised, *most]
    shown += [factor * rate.measured for rate in rates if rate.measured > 0]
    shown += [factor * rate.high for rate in rates]
    low, high = min(shown) / MARGIN, max(shown) * MARGIN
    ends = np.array([low, high])
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    axes.axvspan(low, factor * smallest, color=TEXT, alpha=0.2, linewidth=0, label="not promised")
    axes.plot(ends, ends, color=TEXT, linestyle="--", linewidth=1, label="as promised")
    axes.fill_between(
        promised, promised, most, color=SERIES, alpha=0.15, label="chance explains it"
    )
    for rate in reversed(rates):  # the model's own is on top
        own = rate is rates[0]
        middle = max(factor * rate.measured, low)
        axes.errorbar(
            [factor * rate.promised],
            [middle],
            [[middle - max(factor * rate.low, low)], [factor * rate.high - middle]],
            color=ANOMALY if own else SERIES,
            marker="o" if rate.measured > 0 else "v",
            markersize=5,
            capsize=3,
            linewidth=1.2,
            clip_on=False,
            label="the model's threshold" if own else "",
        )
    axes.set_xlabel(f"promised: {name}, at most", fontsize=8)
    axes.set_ylabel("measured, with 95 % interval", fontsize=8)
    axes.tick_params(labelsize=SMALL)
    axes.grid(alpha=0.25)
