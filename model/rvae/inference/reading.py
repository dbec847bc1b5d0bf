"""Data that is read for a trained model."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from rvae.config import FileFormat, ReaderConfig
from rvae.data.readers import read
from rvae.data.series import Dataset
from rvae.errors import FieldError, require
from rvae.inference.card import Card

__all__ = ["read_for"]


def read_for(
    card: Card,
    source: Any,
    label: str | None,
    array: str | None,
    layout: Literal["series", "rows"] | None,
    labels: bool,
    format: FileFormat = FileFormat(),
) -> Dataset:
    """Read data like the training data, except for the options that are set."""
    normal = card.reader.normal if labels and label is None else ()
    class_column = card.reader.classes if card.model.conditional else None
    config = replace(
        card.reader,
        label=(label or card.reader.label) if labels else None,
        classes=card.reader.classes if normal else class_column,
        normal=normal,
        array=array or card.reader.array,
        layout=layout or card.reader.layout,
        # Names of columns in one layout have no meaning in the other.
        columns=None if layout not in (None, card.reader.layout) else card.reader.columns,
        format=card.reader.format.updated(format),
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
    if dataset.source.layout == "rows":
        dataset = replace(dataset, series=[s.padded(card.window) for s in dataset.series])
    for series in dataset.series:
        require(
            len(series) >= card.window,
            "data",
            f"series {series.name} has {len(series)} points, the model needs {card.window}",
        )
    return dataset
