"""Data that is read for a trained model."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from rvae.config import FileFormat, ReaderConfig
from rvae.data.holes import long_enough, short_pieces
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
    *,
    labels: bool,
    ignore: Sequence[str] = (),
    format: FileFormat = FileFormat(),
) -> Dataset:
    """Read data like the training data, except for the options that are set.

    Columns are found by their names. Those that the training data had besides its channels, labels
    and classes among them, may be absent; others are refused unless they are ignored.
    """
    config = replace(
        _configuration(card, source, label, array, layout, ignore, labels),
        format=card.reader.format.updated(format),
    )
    try:
        dataset = read(source, config, card.vocabulary)
    except FieldError as error:
        # Labels of the training file are optional here.
        optional = {"reader.label"} | (set() if card.model.conditional else {"reader.classes"})
        if error.field not in optional or label is not None:
            raise FieldError(
                error.field.removeprefix("reader."), error.message.replace("--reader.", "--")
            ) from None
        again = _configuration(card, source, None, array, layout, ignore, False)
        dataset = read(source, replace(again, format=config.format), card.vocabulary)
    if dataset.source.layout == "rows":
        dataset = replace(dataset, series=[s.padded(card.window) for s in dataset.series])
    notes = (*dataset.notes, *short_pieces(dataset.series, card.window))
    series = long_enough(dataset.series, card.window, "data", "")
    for one in series:
        require(
            len(one) >= card.window,
            "data",
            f"series {one.name} has {len(one)} points, the model needs {card.window}",
        )
    return replace(dataset, series=series, notes=notes)


def _configuration(
    card: Card,
    source: Any,
    label: str | None,
    array: str | None,
    layout: Literal["series", "rows"] | None,
    ignore: Sequence[str],
    labels: bool,
) -> ReaderConfig:
    known = card.reader
    if isinstance(source, np.ndarray):
        # Columns of an array have places instead of names, and it has none of times or labels.
        return ReaderConfig(layout=layout or known.layout, columns=card.channels)
    config = replace(
        known,
        label=(label or known.label) if labels else None,
        classes=known.classes
        if card.model.conditional or (labels and label is None and known.normal)
        else None,
        normal=known.normal if labels and label is None else (),
        array=array or known.array,
        layout=layout or known.layout,
        ignore=None,
    )
    if layout not in (None, known.layout):
        # Names of columns in one layout have no meaning in the other.
        return replace(config, columns=None, ignore=tuple(ignore) or None)
    if known.ignore is None:
        return config  # a model from before it was recorded what was left out
    spare = [*known.ignore, *ignore, known.label, known.classes]
    used = (None, config.label, config.classes)
    return replace(config, ignore=tuple(dict.fromkeys(n for n in spare if n not in used)))
