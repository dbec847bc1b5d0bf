"""Latents of data, coloured by what is known of it."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from matplotlib.axes import Axes

from rvae.config import FileFormat
from rvae.data.series import Dataset
from rvae.errors import require
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from rvae.inference.reading import Layout, read_classes_for, read_for
from rvae.plots.encoded_windows import encode_windows
from rvae.plots.latent import plot_latent
from rvae.plots.projection import Method

__all__ = ["Colour", "default_colour", "plot_data_latent", "read_for_colour"]

Colour = Literal["class", "label", "score"]


def default_colour(card: Card) -> Colour:
    """Class if the training data had classes, else score."""
    return "class" if card.vocabulary.classes else "score"


def read_for_colour(
    card: Card,
    source: Any,
    colour: Colour,
    label: str | None = None,
    array: str | None = None,
    layout: Layout | None = None,
    ignore: Sequence[str] = (),
    format: FileFormat = FileFormat(),
) -> Dataset:
    """Read data like the training data, with the classes or labels that colour its windows.

    Raises:
        FieldError: If the data does not fit the model, or has nothing to colour by.
    """
    colours = get_args(Colour)
    require(colour in colours, "colour", f"must be one of {', '.join(colours)}, got {colour!r}")
    if colour == "class":
        dataset = read_classes_for(card, source, None, array, layout, ignore, format)
        require(bool(dataset.vocabulary.classes), "colour", "class: the data has no classes")
        return dataset
    labels = colour == "label"
    dataset = read_for(
        card, source, label, array, layout, labels=labels, ignore=ignore, format=format
    )
    require(
        not labels or any(one.labels is not None for one in dataset.series),
        "colour",
        "label: the data has no labels; --label names their column",
    )
    return dataset


def plot_data_latent(
    engine: Engine,
    dataset: Dataset,
    colour: Colour,
    method: Method | None = None,
    stride: int | None = None,
    seed: int = 0,
    axes: Axes | None = None,
) -> tuple[Axes, int]:
    """Draw the latent of every window of data, see `plot_latent`.

    Returns:
        The axes, and the number of windows.
    """
    windows = encode_windows(engine, dataset.series, stride)
    classes, names = {
        "class": (windows.classes, dataset.vocabulary.classes),
        "label": (windows.anomalous.astype(np.int64), ("normal", "anomalous")),
        "score": (None, ()),
    }[colour]
    drawn = plot_latent(
        windows.latent, classes, names, windows.scores, method, seed, axes, windows.total
    )
    return drawn, len(windows.latent)
