"""Losses of a training over its epochs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from rvae.errors import require

__all__ = ["EpochLosses", "plot_losses"]

SMALL = 7  # Points of small print.


@dataclass(frozen=True)
class EpochLosses:
    """Losses of an epoch, in nats per window.

    Attributes:
        epoch: Its number, from 1.
        training: Loss of the training windows.
        validation: Loss of the validation windows.
        reconstruction: Their -log p(x|z).
        kl: Their KL(q(z|x) ‖ p(z)).
    """

    epoch: int
    training: float
    validation: float
    reconstruction: float
    kl: float


def plot_losses(
    history: Sequence[EpochLosses], axes: Sequence[Axes] | None = None
) -> tuple[Axes, Axes]:
    """Draw the losses of training and validation, and below them the KL divergence.

    Args:
        history: Losses of the epochs, at least one.
        axes: Two; those of a new figure if left out.

    Returns:
        The axes of the losses, and of the KL divergence.

    Raises:
        FieldError: If there are not two axes.
    """
    if axes is None:
        figure = Figure(figsize=(7, 5), layout="constrained")
        axes = figure.subplots(2, sharex=True, height_ratios=(2, 1)).tolist()
    require(len(axes) == 2, "axes", f"expected 2, got {len(axes)}")
    upper, lower = axes
    epochs = [losses.epoch for losses in history]
    # A line through a single point is invisible.
    marker = "." if len(history) <= 30 else ""
    for panel, name, colour, width in (
        (upper, "training", "0.6", 0.8),
        (upper, "validation", "tab:blue", 1.8),
        (upper, "reconstruction", "tab:orange", 1.2),
        (lower, "KL", "tab:green", 1.8),
    ):
        values = [getattr(losses, name.lower()) for losses in history]
        panel.plot(epochs, values, label=name, color=colour, linewidth=width, marker=marker)
    for panel in axes:
        panel.set_xlim(epochs[0] - 0.5, max(epochs[-1], epochs[0] + 4) + 0.5)
        panel.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        panel.tick_params(labelsize=SMALL)
        panel.grid(alpha=0.25)
    upper.legend(loc="upper right", fontsize=SMALL, framealpha=0.6)
    lower.legend(loc="lower right", fontsize=SMALL, framealpha=0.6)
    upper.set_ylim(_limits([line.get_ydata() for line in upper.lines]))
    # The distance of the KL from zero matters more than its latest change.
    lower.set_ylim(0, 1.05 * _limits([line.get_ydata() for line in lower.lines])[1])
    upper.set_title("loss, nats a window", fontsize=10)
    lower.set_xlabel("epoch", fontsize=8)
    return upper, lower


def _limits(curves: Sequence[ArrayLike]) -> tuple[float, float]:
    """Limits of an axis for these curves, robust against first epochs and a few spikes."""
    values = np.array(curves, np.float64)  # (curves, epochs)
    epochs = values.shape[1]
    later, last = values[:, min(max(1, epochs // 10), epochs - 1) :], values[:, -1]
    later, last = later[np.isfinite(later)], last[np.isfinite(last)]
    if not len(later):
        return 0.0, 1.0
    low = float(later.min())
    high = float(max([np.percentile(later, 95, method="higher"), *last]))
    margin = 0.08 * (high - low) or 0.5
    return low - margin, high + margin
