"""Plots of how a model learns: losses, latent space and reconstructions after an epoch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

__all__ = ["EpochLosses", "LearningSnapshot", "plot_learning"]

SHOWN_WINDOWS = 4
SHOWN_CHANNELS = 4
SHOWN_LATENTS = 5000  # More points would hide each other.
NAMED_CLASSES = 40
SMALL = 7  # Points of small print.
PRIOR_RADIUS = np.sqrt(-2 * np.log(0.05))  # of 95 % of a standard normal in the plane


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
    upper, lower = np.asarray(losses.subplots(sharex=True))
    _draw_losses(upper, lower, history)
    _draw_latent(figure.add_axes((0.335, 0.1, 0.275, 0.77)), snapshot)  # square
    left = 0.65
    if snapshot.classes is not None:
        _draw_class_names(figure.add_axes((0.617, 0.1, 0.006, 0.77)), snapshot.class_names)
        left = 0.72
    rows = min(len(snapshot.windows), SHOWN_WINDOWS)
    columns = min(len(snapshot.channels), SHOWN_CHANNELS)
    title = "windows (grey) and reconstructions (red)"
    if columns < len(snapshot.channels):
        title += f", {columns} of {len(snapshot.channels)} channels"
    figure.text(0.99, 0.945, title, fontsize=9, horizontalalignment="right")
    windows = figure.add_gridspec(
        rows, columns, left=left, right=0.99, bottom=0.1, top=0.87, hspace=0.12, wspace=0.3
    )
    _draw_windows(windows.subplots(squeeze=False, sharex=True, sharey="col"), snapshot)
    return figure


def _draw_losses(upper: Axes, lower: Axes, history: Sequence[EpochLosses]) -> None:
    epochs = [losses.epoch for losses in history]
    # A line through a single point is invisible.
    marker = "." if len(history) <= 30 else ""
    for axes, name, colour, width in (
        (upper, "training", "0.6", 0.8),
        (upper, "validation", "tab:blue", 1.8),
        (upper, "reconstruction", "tab:orange", 1.2),
        (lower, "KL", "tab:green", 1.8),
    ):
        values = [getattr(losses, name.lower()) for losses in history]
        axes.plot(epochs, values, label=name, color=colour, linewidth=width, marker=marker)
    for axes in (upper, lower):
        axes.set_xlim(epochs[0] - 0.5, max(epochs[-1], epochs[0] + 4) + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.tick_params(labelsize=SMALL)
        axes.grid(alpha=0.25)
    upper.legend(loc="upper right", fontsize=SMALL, framealpha=0.6)
    lower.legend(loc="lower right", fontsize=SMALL, framealpha=0.6)
    upper.set_ylim(_limits([line.get_ydata() for line in upper.lines]))
    # The distance of the KL from zero matters more than its latest change.
    lower.set_ylim(0, 1.05 * _limits([line.get_ydata() for line in lower.lines])[1])
    upper.set_title("loss, nats a window", fontsize=10)
    lower.set_xlabel("epoch", fontsize=8)


def _limits(curves: Sequence[ArrayLike]) -> tuple[float, float]:
    """Limits of an axis for these curves, robust against first epochs and a few spikes."""
    values = np.array(curves, np.float64)  # (curves, epochs)
    later, last = values[:, values.shape[1] // 3 :], values[:, -1]
    later, last = later[np.isfinite(later)], last[np.isfinite(last)]
    if not len(later):
        return 0.0, 1.0
    low = float(later.min())
    high = float(max([np.percentile(later, 95, method="higher"), *last]))
    margin = 0.08 * (high - low) or 0.5
    return low - margin, high + margin


def _draw_latent(axes: Axes, snapshot: LearningSnapshot) -> None:
    step = max(1, -(-len(snapshot.latent) // SHOWN_LATENTS))
    latent = snapshot.latent[::step].astype(np.float64)
    classes = np.zeros(len(latent), int) if snapshot.classes is None else snapshot.classes[::step]
    palette = _palette(len(snapshot.class_names))
    finite = np.isfinite(latent).all(axis=1)  # Not all are, if training has diverged.
    latent, classes = latent[finite], classes[finite]
    dimensions = latent.shape[1]
    axes.set_title(f"latent space, {dimensions} dimension{'s'[: dimensions > 1]}", fontsize=10)
    axes.tick_params(labelsize=SMALL)
    if not len(latent):
        return
    points, names = _in_the_plane(latent)
    limit = max(3.0, np.ceil(np.percentile(np.abs(points), 99.5, method="higher")))
    axes.set_xlim(-limit, limit)
    axes.set_xlabel(names[0], fontsize=8)
    if dimensions == 1:
        axes.hist(
            [points[classes == index, 0] for index in range(len(palette))],
            bins=np.linspace(-limit, limit, 49).tolist(),
            density=True,
            stacked=True,
            histtype="stepfilled",  # One patch per class; bars would be slow to draw.
            color=palette.tolist(),
        )
        axes.set_ylabel("density", fontsize=8, labelpad=1)
        grid = np.linspace(-limit, limit, 200)
        outline = grid, np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi)
    else:
        size = float(np.clip(8000 / len(points), 4, 24))
        x, y = points.T
        axes.scatter(x, y, size, palette[classes], alpha=0.75, linewidths=0)
        angle = np.linspace(0, 2 * np.pi, 100)
        outline = PRIOR_RADIUS * np.cos(angle), PRIOR_RADIUS * np.sin(angle)
        axes.set_ylim(-limit, limit)
        axes.set_ylabel(names[1], fontsize=8, labelpad=1)
    name = "prior" if dimensions == 1 else "95 % of the prior"
    axes.plot(*outline, color="0.3", linestyle="--", linewidth=1, label=name)
    axes.legend(loc="upper right", fontsize=SMALL, framealpha=0.6)


def _in_the_plane(latent: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[str]]:
    """Latents (W, D) in at most two dimensions, and the names of these."""
    if latent.shape[1] <= 2:
        return latent, ["first dimension", "second dimension"]
    centred = latent - latent.mean(axis=0)
    directions, variances, _ = np.linalg.svd(centred.T @ centred, hermitian=True)
    shares = variances / max(variances.sum(), np.finfo(np.float64).tiny)
    # The sign is arbitrary; fixed by the largest loading, a direction seldom flips between epochs.
    largest = np.abs(directions).argmax(axis=0, keepdims=True)
    directions *= np.sign(np.take_along_axis(directions, largest, axis=0))
    # Projections are not centred, so that the prior's mean is the origin of every picture.
    return latent @ directions[:, :2], [
        f"{name} principal component, {share:.0%} of the variance"
        for name, share in zip(("first", "second"), shares[:2], strict=True)
    ]


def _palette(classes: int) -> NDArray[np.float64]:
    """A colour for each class (classes, 4), or a single one without classes."""
    if classes <= 10:
        return np.array(colormaps["tab10"](np.arange(max(1, classes))))
    return np.array(colormaps["turbo"](np.linspace(0.03, 0.97, classes)))


def _draw_class_names(strip: Axes, names: Sequence[str]) -> None:
    """A strip of all colours next to the latent space, which a legend would cover."""
    strip.imshow(_palette(len(names))[:, None], aspect="auto", interpolation="nearest")
    at = range(0, len(names), -(-len(names) // NAMED_CLASSES))
    strip.set_xticks([])
    strip.set_yticks(at, [_short(names[index], 14) for index in at], parse_math=False)
    strip.yaxis.tick_right()
    strip.tick_params(length=0, pad=2, labelsize=SMALL)
    strip.spines[:].set_visible(False)


def _draw_windows(grid: NDArray[np.object_], snapshot: LearningSnapshot) -> None:
    rows, columns = grid.shape
    for channel, name in enumerate(snapshot.channels[:columns]):
        windows = snapshot.windows[:rows, :, channel]
        reconstructions = snapshot.reconstructions[:rows, :, channel]
        for axes, observed, reconstructed in zip(
            grid[:, channel], windows, reconstructions, strict=True
        ):
            present = np.isfinite(observed)
            # A value between missing ones has no line: it needs a marker.
            alone = present & ~np.pad(present, (1, 0))[:-1] & ~np.pad(present, (0, 1))[1:]
            axes.plot(observed, "-o", color="0.55", linewidth=1.2, markersize=2, markevery=alone)
            axes.plot(reconstructed, color="tab:red", linewidth=1.0)
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
        grid[0, channel].set_title(_short(name, 48 // columns), fontsize=8, pad=3, parse_math=False)


def _short(name: str, length: int) -> str:
    return name if len(name) <= length else name[: length - 1] + "…"
