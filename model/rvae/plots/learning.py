"""Plots of how a model learns: losses, latent space and reconstructions after an epoch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rvae.plots.colours import RECONSTRUCTION
from rvae.plots.latent import MAX_LATENTS, draw_class_names, draw_latent
from rvae.plots.lines import plot_line
from rvae.plots.losses import EpochLosses, plot_losses
from rvae.plots.names import shortened
from rvae.plots.projection import default_method, project

__all__ = ["LearningSnapshot", "plot_learning"]

SHOWN_WINDOWS = 4
SHOWN_CHANNELS = 4
SMALL = 7  # Points of small print.


@dataclass(frozen=True)
class LearningSnapshot:
    """Latents and reconstructions of held-out windows at one time of training.

    Attributes:
        latent: Means of q(z|x) (W, D).
        classes: Index of each window's class (W,), if there are classes.
        class_names: Names of the classes, by index.
        windows: At least one window (K, T, C), NaN where missing.
        reconstructions: Reconstructions of these windows in the same units (K, T, C).
        channels: Names of the channels.
    """

    latent: NDArray[np.floating]
    classes: NDArray[np.integer] | None
    class_names: tuple[str, ...]
    windows: NDArray[np.floating]
    reconstructions: NDArray[np.floating]
    channels: tuple[str, ...]


def plot_learning(history: Sequence[EpochLosses], snapshot: LearningSnapshot) -> Figure:
    """Draw the losses so far, the latent space and some windows with their reconstructions.

    Pictures of one training have the same size, and axes as constant as the data allows, so that
    they can be animated.

    Args:
        history: Losses of every epoch so far, at least one.
        snapshot: The network after the last epoch.
    """
    # The layout does not depend on the content: it would move from picture to picture.
    figure = Figure(figsize=(14, 5), dpi=100)
    figure.text(0.012, 0.945, f"epoch {history[-1].epoch}", fontsize=14, fontweight="bold")
    losses = figure.add_gridspec(
        2, 1, left=0.045, right=0.28, bottom=0.1, top=0.87, height_ratios=(2, 1), hspace=0.08
    )
    plot_losses(history, np.asarray(losses.subplots(sharex=True)).tolist())
    _draw_latent(figure.add_axes((0.335, 0.1, 0.275, 0.77)), snapshot)  # square
    left = 0.65
    if snapshot.classes is not None:
        draw_class_names(figure.add_axes((0.617, 0.1, 0.006, 0.77)), snapshot.class_names)
        left = 0.72
    rows = min(len(snapshot.windows), SHOWN_WINDOWS)
    columns = min(len(snapshot.channels), SHOWN_CHANNELS)
    title = "windows (grey) and reconstructions (orange)"
    if columns < len(snapshot.channels):
        title += f", {columns} of {len(snapshot.channels)} channels"
    figure.text(0.99, 0.945, title, fontsize=9, horizontalalignment="right")
    windows = figure.add_gridspec(
        rows, columns, left=left, right=0.99, bottom=0.1, top=0.87, hspace=0.12, wspace=0.3
    )
    _draw_windows(windows.subplots(squeeze=False, sharex=True, sharey="col"), snapshot)
    return figure


def _draw_latent(axes: Axes, snapshot: LearningSnapshot) -> None:
    step = -(-len(snapshot.latent) // MAX_LATENTS)
    latent = snapshot.latent[::step]
    finite = np.isfinite(latent).all(axis=1)  # Not all are, if training has diverged.
    dimensions = latent.shape[1]
    axes.set_title(f"latent space, {dimensions} dimension{'s'[: dimensions > 1]}", fontsize=10)
    axes.tick_params(labelsize=SMALL)
    if finite.any():
        classes = None if snapshot.classes is None else snapshot.classes[::step][finite]
        projection = project(latent[finite], default_method(dimensions))
        draw_latent(axes, projection, classes, len(snapshot.class_names))


def _draw_windows(grid: NDArray[np.object_], snapshot: LearningSnapshot) -> None:
    rows, columns = grid.shape
    for channel, name in enumerate(snapshot.channels[:columns]):
        windows = snapshot.windows[:rows, :, channel]
        reconstructions = snapshot.reconstructions[:rows, :, channel]
        for axes, observed, reconstructed in zip(
            grid[:, channel], windows, reconstructions, strict=True
        ):
            steps = np.arange(len(observed))
            plot_line(axes, steps, observed, color="0.55", linewidth=1.2)
            axes.plot(reconstructed, color=RECONSTRUCTION, linewidth=1.0)
            # Axes of a column share their scale, and ticks are the slowest part of the picture.
            lowest = axes is grid[-1, channel]
            axes.tick_params(
                labelsize=SMALL - 1, length=2, left=lowest, labelleft=lowest, bottom=lowest
            )
            axes.locator_params("x", nbins=2 + 8 // columns)
            axes.locator_params("y", nbins=2 + 8 // rows)
        finite = windows[np.isfinite(windows)]
        if len(finite):
            # Limits by observed values only, which are the same in each picture.
            margin = 0.2 * (finite.max() - finite.min()) or 0.5
            axes.set_ylim(finite.min() - margin, finite.max() + margin)
        axes.set_xlabel("time step", fontsize=8)
        grid[0, channel].set_title(
            shortened(name, 48 // columns), fontsize=8, pad=3, parse_math=False
        )
