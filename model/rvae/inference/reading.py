"""Data that is read for a trained model."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from rvae.config import FileFormat, ReaderConfig
from rvae.data.readers import read
from rvae.data.series import Dataset
from rvae.errors import FieldError, require
from rvae.inference.card import Card

__all__ = ["read_classes_for", "read_for"]


def read_for(
    card: Card,
    source: Any,
    label: str | None,
    array: str | None,
    layout: Literal["series", "rows"] | None,
    labels: bool,
    format: FileFormat = FileFormat(),
) -> Dataset:
    """Read data like the training data, except for the options that are set.

    Labels are read if the data has them; classes must be there if the model needs them.
    """
    normal = card.reader.normal if labels and label is None else ()
    class_column = card.reader.classes if card.model.conditional else None
    config = replace(
        _like(card, array, layout, format),
        label=(label or card.reader.label) if labels else None,
        classes=card.reader.classes if normal else class_column,
        normal=normal,
    )
    if isinstance(source, np.ndarray):
        # Columns of an array have places instead of names, and it has none of times or labels.
        config = ReaderConfig(layout=config.layout, columns=card.channels)
    try:
        dataset = read(source, config, card.vocabulary)
    except FieldError as error:
        # Labels of the training file are optional here.
        optional = {"reader.label"} if class_column else {"reader.label", "reader.classes"}
        if error.field not in optional or label is not None:
            raise FieldError(error.field.removeprefix("reader."), error.message) from None
        config = replace(config, label=None, classes=class_column, normal=())
        dataset = read(source, config, card.vocabulary)
    return _fitting(card, dataset)


def read_classes_for(
    card: Card,
    source: Any,
    classes: str | None,
    array: str | None,
    layout: Literal["series", "rows"] | None,
    format: FileFormat = FileFormat(),
) -> Dataset:
    """Read a file or frame like the training data, with classes that the model need not know.

    Without a name for them they are those of the training data; data that lacks these has none.
    The vocabulary's classes are those of the data, except for a conditional model, which knows its
    own alone.
    """
    config = _like(card, array, layout, format)
    config = replace(config, classes=classes or config.classes)
    try:
        found = read(source, config)
    except FieldError as error:
        if error.field != "reader.classes" or classes is not None or card.model.conditional:
            raise FieldError(error.field.removeprefix("reader."), error.message) from None
        config = replace(config, classes=None)
        found = read(source, config)
    vocabulary = card.vocabulary
    if not card.model.conditional:
        vocabulary = replace(vocabulary, classes=found.vocabulary.classes)
    return _fitting(card, read(source, config, vocabulary))


def _like(
    card: Card,
    array: str | None,
    layout: Literal["series", "rows"] | None,
    format: FileFormat,
) -> ReaderConfig:
    """The training data's configuration without its labels, with the options that are set."""
    return replace(
        card.reader,
        label=None,
        normal=(),
        array=array or card.reader.array,
        layout=layout or card.reader.layout,
        # Names of columns in one layout have no meaning in the other.
        columns=None if layout not in (None, card.reader.layout) else card.reader.columns,
        format=card.reader.format.updated(format),
    )


def _fitting(card: Card, dataset: Dataset) -> Dataset:
    """The data set with series that are long enough for the model.

    Raises:
        FieldError: If a series is too short.
    """
    if dataset.source.layout == "rows":
        dataset = replace(dataset, series=[s.padded(card.window) for s in dataset.series])
    for series in dataset.series:
        require(
            len(series) >= card.window,
            "data",
            f"series {series.name} has {len(series)} points, the model needs {card.window}",
        )
    return dataset
