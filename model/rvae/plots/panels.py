"""Axes under each other: one for each channel, and a last one for the score."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rvae.errors import require

__all__ = ["stacked_axes"]

CHANNEL_INCHES, SCORE_INCHES, MARGIN_INCHES = 1.35, 1.1, 1.0


def stacked_axes(channels: int, axes: Sequence[Axes] | None, width: float) -> list[Axes]:
    """Axes for channels and a score, from top to bottom: those that are given, or of a new figure.

    Args:
        channels: Number of channels.
        axes: The axes, if there are any.
        width: Width of a new figure in inches.

    Raises:
        FieldError: If the number of axes is wrong.
    """
    if axes is None:
        heights = [*[CHANNEL_INCHES] * channels, SCORE_INCHES]
        figure = Figure(figsize=(width, sum(heights) + MARGIN_INCHES), layout="constrained")
        panels: list[Axes] = figure.subplots(
            len(heights), 1, sharex=True, squeeze=False, height_ratios=heights
        )[:, 0].tolist()
        figure.align_ylabels(panels)
        return panels
    require(
        len(axes) == channels + 1,
        "axes",
        f"expected {channels + 1}, one for each channel and one for the score, got {len(axes)}",
    )
    return list(axes)
