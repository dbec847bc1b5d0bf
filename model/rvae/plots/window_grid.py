"""Windows side by side, as small curves or as images."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rvae.inference.card import ModelSpec
from rvae.plots.colours import class_colours
from rvae.plots.names import shortened

__all__ = ["holds_images", "in_rows", "plot_windows"]

INCHES, MAX_INCHES = 0.85, 12.0
MIN_WIDTH, MIN_HEIGHT = 4.0, 1.3
MARGIN = 0.08  # of a tile, on each side of it
MIN_PIXELS = 4
NAMED_CHANNELS = 8


def holds_images(card: ModelSpec) -> bool:
    """Whether windows are taken for images: values from 0 to 1, and at least 4 × 4 of them.

    Steps are the rows of an image from top to bottom, and channels its columns.
    """
    pixels = min(card.window, len(card.channels))
    return card.scaler.unit_interval and pixels >= MIN_PIXELS


def in_rows(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Windows (S, T, C) in rows of a rectangle, wider than high (R, K, T, C); NaN fill the last."""
    columns = int(np.ceil(np.sqrt(2 * len(windows)))) if len(windows) > 10 else len(windows)
    lacking = -len(windows) % columns
    filled = np.pad(windows, ((0, lacking), (0, 0), (0, 0)), constant_values=np.nan)
    return filled.reshape(-1, columns, *windows.shape[1:])


def plot_windows(
    windows: NDArray[np.float64],
    channels: Sequence[str],
    images: bool,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draw a grid of windows: as images, or as curves that have a common scale by channel.

    Args:
        windows: (R, K, T, C), as R rows from top to bottom with K windows each.
        channels: Names of the channels.
        images: Whether a window is an image, whose rows are the steps.
        rows: Names of the rows.
        columns: Names of the columns.
        title: What the windows are.
        axes: Those of a new figure if left out.
    """
    height, width = windows.shape[:2]
    if axes is None:
        axes = Figure(figsize=_size(width, height, images), layout="constrained").subplots()
    if images:
        _draw_images(axes, windows)
    else:
        _draw_curves(axes, windows, channels)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_xticks(0.5 + np.arange(len(columns)), columns, parse_math=False)
    names = [shortened(name, 20) for name in rows]
    axes.set_yticks(0.5 + np.arange(len(rows)), names, parse_math=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(title, fontsize=10, loc="left", parse_math=False)
    return axes


def _size(width: int, height: int, images: bool) -> tuple[float, float]:
    """Inches of a figure with so many windows, and space for names and a key."""
    names, key = 0.5, 0.5 if images else 0.9
    return (
        min(max(INCHES * width + names, MIN_WIDTH), MAX_INCHES),
        min(max(INCHES * height + key, MIN_HEIGHT), MAX_INCHES),
    )


def _draw_images(axes: Axes, windows: NDArray[np.float64]) -> None:
    height, width, steps, channels = windows.shape
    # A frame of NaN, which is not drawn, keeps the images apart.
    framed = np.pad(windows, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=np.nan)
    tiled = framed.swapaxes(1, 2).reshape(height * (steps + 2), width * (channels + 2))
    axes.imshow(
        tiled,
        cmap="gray_r",
        vmin=0,
        vmax=1,
        interpolation="nearest",
        extent=(0, width, height, 0),
        aspect=(steps + 2) / (channels + 2),
    )


def _draw_curves(axes: Axes, windows: NDArray[np.float64], channels: Sequence[str]) -> None:
    height, width, steps, count = windows.shape
    low = np.nanmin(windows, axis=(0, 1, 2))
    span = np.nanmax(windows, axis=(0, 1, 2)) - low
    shares = (windows - low) / np.where(span > 0, span, 1)
    # The vertical axis goes down, as rows do.
    y = np.arange(height)[:, None, None, None] + 1 - MARGIN - (1 - 2 * MARGIN) * shares
    places = np.linspace(MARGIN, 1 - MARGIN, steps) + np.arange(width)[:, None]  # (K, T)
    x = np.broadcast_to(places, (height, width, steps))
    palette = class_colours(count)
    for channel in range(count):
        lines = np.stack([x, y[..., channel]], axis=-1).reshape(-1, steps, 2)
        unit = f"{low[channel]:.3g} to {low[channel] + span[channel]:.3g}"
        label = f"{shortened(channels[channel], 24)}, {unit}"
        named = label if channel < NAMED_CHANNELS else "_"
        lines_of_channel = LineCollection(
            list(lines), colors=[palette[channel]], linewidths=1.1, label=named
        )
        axes.add_collection(lines_of_channel, autolim=False)
    borders = np.arange(1, max(width, height))
    axes.vlines(borders[borders < width], 0, height, color="0.9", linewidth=0.6)
    axes.hlines(borders[borders < height], 0, width, color="0.9", linewidth=0.6)
    legend = axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        borderaxespad=5,  # below the names of the axis
        ncols=1 if width < 6 else 2,
        frameon=False,
        fontsize=8,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
