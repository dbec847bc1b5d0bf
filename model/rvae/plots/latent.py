"""Latents as points in the plane, coloured by class or by score."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rvae.errors import require
from rvae.plots.colours import class_colours
from rvae.plots.names import shortened
from rvae.plots.projection import Method, Projection, default_method, project

__all__ = ["MAX_LATENTS", "draw_class_names", "draw_latent", "plot_latent"]

MAX_LATENTS = 5000  # More points would hide each other.
NAMED_CLASSES = 40
SMALL = 7  # Points of small print.
PRIOR_RADIUS = np.sqrt(-2 * np.log(0.05))  # of 95 % of a standard normal in the plane
UNKNOWN = (0.6, 0.6, 0.6, 1.0)  # of a window whose class is unknown
HIGHEST = 99  # percentile of the scores with the last colour


def plot_latent(
    latent: NDArray[np.floating],
    classes: NDArray[np.integer] | None = None,
    class_names: Sequence[str] = (),
    scores: NDArray[np.floating] | None = None,
    method: Method | None = None,
    seed: int = 0,
    axes: Axes | None = None,
    total: int | None = None,
) -> Axes:
    """Draw the latent of each window as a point, coloured by class or by score.

    Of many windows 5,000 are drawn, evenly chosen. Where the axes are those of latent space, a
    dashed line surrounds 95 % of the prior.

    Args:
        latent: Latents (W, D); those that are not finite are left out.
        classes: Index of each window's class (W,), negative where unknown.
        class_names: Names of the classes, by index.
        scores: Score of each window (W,), which colours it if there are no classes.
        method: How many dimensions become two, see `project`; if left out, direct or PCA.
        seed: Seed of t-SNE and UMAP.
        axes: Those of a new figure if left out.
        total: Number of windows that these were chosen from, for the title; W if left out.

    Raises:
        FieldError: If the method does not suit the latents, or no latent is finite.
    """
    kept = np.flatnonzero(np.isfinite(latent).all(axis=1))
    require(len(kept) > 0, "latent", "holds nothing that can be drawn")
    kept = kept[:: -(-len(kept) // MAX_LATENTS)]
    if scores is not None and classes is None:
        # The highest, which matter most, are drawn last.
        kept = kept[np.argsort(np.nan_to_num(scores[kept], nan=-np.inf), kind="stable")]
    projection = project(latent[kept], method or default_method(latent.shape[1]), seed)
    if axes is None:
        axes = Figure(figsize=(7, 6), layout="constrained").subplots()
    points = draw_latent(
        axes, projection, None if classes is None else classes[kept], len(class_names)
    )
    if points is not None:
        axes.set_aspect("equal", "datalim" if not projection.keeps_prior else "box")
    windows = len(latent) if total is None else total
    axes.set_title(_title(len(kept), windows, latent.shape[1]), fontsize=10)
    if classes is not None:
        draw_class_names(axes.inset_axes((1.03, 0, 0.03, 1)), class_names)
    elif scores is not None and points is not None:
        shown = np.asarray(scores[kept], np.float64)
        points.set_array(shown)
        known = shown[np.isfinite(shown)]
        if len(known):
            points.set_clim(known.min(), np.percentile(known, HIGHEST))
        figure = axes.get_figure(root=True)
        assert figure is not None
        figure.colorbar(points, ax=axes, label="score", extend="max")
    return axes


def draw_latent(
    axes: Axes, projection: Projection, classes: NDArray[np.integer] | None, count: int
) -> PathCollection | None:
    """Draw projected latents (W, 2), or their density if they have one dimension.

    Args:
        axes: Where to draw.
        projection: The latents.
        classes: Index of each latent's class (W,), negative where unknown.
        count: Number of classes.

    Returns:
        The points, if it is not a density.
    """
    found = projection.points
    palette = np.vstack([class_colours(count), [UNKNOWN]])  # the last one has the index -1
    codes = np.zeros(len(found), int) if classes is None else classes
    limit = max(3.0, np.ceil(np.percentile(np.abs(found), 99.5, method="higher")))
    axes.set_xlabel(projection.names[0], fontsize=8)
    if projection.keeps_prior:
        axes.set_xlim(-limit, limit)
    if len(projection.names) == 1:
        kinds = [*range(len(palette) - 1), -1] if (codes < 0).any() else range(len(palette) - 1)
        _draw_density(axes, [found[codes == i, 0] for i in kinds], palette, limit)
        return None
    size = float(np.clip(8000 / len(found), 4, 24))
    x, y = found.T
    points = axes.scatter(x, y, size, palette[codes], alpha=0.75, linewidths=0)
    axes.set_ylabel(projection.names[1], fontsize=8, labelpad=1)
    if projection.keeps_prior:
        axes.set_ylim(-limit, limit)
        angle = np.linspace(0, 2 * np.pi, 100)
        circle = PRIOR_RADIUS * np.cos(angle), PRIOR_RADIUS * np.sin(angle)
        _draw_prior(axes, *circle, "95 % of the prior")
    return points


def _draw_density(
    axes: Axes,
    groups: list[NDArray[np.float64]],
    palette: NDArray[np.float64],
    limit: float,
) -> None:
    axes.hist(
        groups,
        bins=np.linspace(-limit, limit, 49).tolist(),
        density=True,
        stacked=True,
        histtype="stepfilled",  # One patch per class; bars would be slow to draw.
        color=palette[: len(groups)].tolist(),
    )
    axes.set_ylabel("density", fontsize=8, labelpad=1)
    grid = np.linspace(-limit, limit, 200)
    _draw_prior(axes, grid, np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi), "prior")


def _draw_prior(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], name: str) -> None:
    axes.plot(x, y, color="0.3", linestyle="--", linewidth=1, label=name)
    axes.legend(loc="upper right", fontsize=SMALL, framealpha=0.6)


def draw_class_names(strip: Axes, names: Sequence[str]) -> None:
    """A strip of all colours next to the latent space, which a legend would cover."""
    strip.imshow(class_colours(len(names))[:, None], aspect="auto", interpolation="nearest")
    at = range(0, len(names), -(-len(names) // NAMED_CLASSES))
    strip.set_xticks([])
    strip.set_yticks(at, [shortened(names[index], 14) for index in at], parse_math=False)
    strip.yaxis.tick_right()
    strip.tick_params(length=0, pad=2, labelsize=SMALL)
    strip.spines[:].set_visible(False)


def _title(shown: int, windows: int, dimensions: int) -> str:
    some = f"{shown:,} windows" if shown == windows else f"{shown:,} of {windows:,} windows"
    return f"latent space, {dimensions} dimension{'s'[: dimensions > 1]}; {some}"
