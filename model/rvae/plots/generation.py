"""Windows that a model generates: along its latent space, by class, and between two latents."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from rvae.errors import require
from rvae.inference.card import ModelSpec
from rvae.inference.engine import Engine
from rvae.inference.latent_paths import Path, latent_grid, principal_directions
from rvae.plots.window_grid import holds_images, in_rows, plot_windows

__all__ = ["plot_classes", "plot_interpolation", "plot_latent_grid", "plot_samples"]


def plot_latent_grid(
    engine: Engine,
    dimensions: Sequence[int] | None = None,
    latent: NDArray[np.floating] | None = None,
    size: int = 9,
    extent: float = 2.0,
    label: str | None = None,
    images: bool | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw what a model decodes on a plane of its latent space.

    Args:
        engine: The model.
        dimensions: One or two latent dimensions of the plane, from 0 on; if left out, those with
            the highest KL divergence, which say most about a window.
        latent: Latents of windows (W, D), whose mean and two principal components are the plane
            instead.
        size: Windows in a row and in a column.
        extent: Coordinates go from minus to plus this many standard deviations, of the prior or of
            the latents.
        label: Class of the windows, if the model is conditional.
        images: Whether windows are images; if left out, see `holds_images`.
        axes: Those of a new figure if left out.

    Raises:
        FieldError: If an option is out of range, or both dimensions and latents are given.
    """
    require(size >= 2, "size", f"must be at least 2, got {size}")
    require(extent > 0, "extent", f"must be above 0, got {extent}")
    card = engine.card
    if latent is None:
        chosen = _informative(card) if dimensions is None else list(dimensions)
        _require_dimensions(chosen, card.model.latent)
        centre, directions = np.zeros(card.model.latent), np.eye(card.model.latent)[chosen]
        names = [f"dimension {i}" for i in chosen]
    else:
        require(dimensions is None, "dimensions", "cannot be combined with data")
        centre = latent.mean(axis=0).astype(np.float64)
        every, variances = principal_directions(latent.astype(np.float64))
        directions = (every * np.sqrt(variances)[:, None])[:2]
        names = ["first component", "second component"][: len(directions)]
    coordinates = np.linspace(-extent, extent, size)
    grid = latent_grid(centre, directions, coordinates)  # (R, K, D)
    windows = engine.decode(grid.reshape(-1, card.model.latent), label)
    ticks = [f"{value:.2g}" for value in coordinates]
    found = _draw(
        card,
        windows.reshape(*grid.shape[:2], *windows.shape[1:]),
        images,
        axes,
        rows=ticks[::-1] if len(directions) > 1 else (),
        columns=ticks,
        title="decoded latents, in standard deviations",
    )
    found.set_xlabel(names[0])
    if len(directions) > 1:
        found.set_ylabel(names[1])
    return found


def plot_classes(
    engine: Engine,
    count: int = 8,
    seed: int = 0,
    images: bool | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw windows of every class of a conditional model: rows are classes, columns latents.

    Args:
        engine: The model.
        count: Windows of each class.
        seed: Seed of the latents, which all classes share.
        images: Whether windows are images; if left out, see `holds_images`.
        axes: Those of a new figure if left out.

    Raises:
        FieldError: If the model is not conditional.
    """
    windows = engine.sample_classes(count, seed)
    classes = engine.card.vocabulary.classes
    title = f"{count} windows of each class, a latent in each column"
    return _draw(engine.card, windows, images, axes, rows=classes, title=title)


def plot_interpolation(
    engine: Engine,
    a: ArrayLike,
    b: ArrayLike,
    steps: int = 9,
    path: Path = "line",
    label: str | None = None,
    images: bool | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw windows on the way from one latent (D,) to another, see `Engine.interpolate`.

    Args:
        engine: The model.
        a: The first latent.
        b: The last latent.
        steps: Number of windows.
        path: Straight, or on the sphere.
        label: Class of the windows, if the model is conditional.
        images: Whether windows are images; if left out, see `holds_images`.
        axes: Those of a new figure if left out.

    Raises:
        FieldError: As `Engine.interpolate`.
    """
    windows = engine.interpolate(a, b, steps, path, label)
    return plot_samples(engine.card, windows, f"from one latent to another, {path}", images, axes)


def plot_samples(
    card: ModelSpec,
    windows: NDArray[np.float64],
    title: str,
    images: bool | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw windows (S, T, C) of a model, in rows and numbered by column.

    Args:
        card: Card of the model.
        windows: In the data's units.
        title: What the windows are.
        images: Whether windows are images; if left out, see `holds_images`.
        axes: Those of a new figure if left out.
    """
    return _draw(card, in_rows(windows), images, axes, title=title)


def _draw(
    card: ModelSpec,
    windows: NDArray[np.float64],
    images: bool | None,
    axes: Axes | None,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    title: str = "",
) -> Axes:
    kind = holds_images(card) if images is None else images
    return plot_windows(windows, card.channels, kind, rows, columns, title, axes)


def _informative(card: ModelSpec) -> list[int]:
    """The two latent dimensions with the highest KL divergence, or the only one, in order."""
    kl = card.training["kl"]
    return sorted(np.argsort(kl)[-2:].tolist())


def _require_dimensions(dimensions: Sequence[int], latent: int) -> None:
    fits = 1 <= len(dimensions) <= 2 and len(set(dimensions)) == len(dimensions)
    require(
        fits and all(0 <= i < latent for i in dimensions),
        "dimensions",
        f"must be one or two different numbers from 0 to {latent - 1}, got {list(dimensions)}",
    )
