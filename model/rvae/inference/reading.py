"""Data that is read for a trained model."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal, Protocol

import numpy as np

from rvae.config import FileFormat, ReaderConfig
from rvae.data.holes import long_enough, short_pieces
from rvae.data.readers import read
from rvae.data.series import Dataset
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError, require

__all__ = ["Readable", "read_classes_for", "read_for"]

Layout = Literal["series", "rows"]


class Readable(Protocol):
    """What is known of a model that data is read for: its card, or what a server says of it."""

    @property
    def reader(self) -> ReaderConfig:
        """Configuration of the reader of the training file."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels."""

    @property
    def vocabulary(self) -> Vocabulary:
        """Words of categories and classes."""

    @property
    def window(self) -> int:
        """Time steps T of a window."""

    @property
    def conditional(self) -> bool:
        """Whether a series must have a class."""


def read_for(
    card: Readable,
    source: Any,
    label: str | None,
    array: str | None,
    layout: Layout | None,
    labels: bool,
    ignore: Sequence[str] = (),
    format: FileFormat = FileFormat(),
    on_disk: bool = False,
) -> Dataset:
    """Read data like the training data, except for the options that are set.

    Columns are found by their names. Those that the training data had besides its channels, labels
    and classes among them, may be absent; others are refused unless they are ignored. `on_disk` is
    that of `rvae.data.readers.read`.
    """
    known = card.reader
    required = known.classes if card.conditional else None
    normal = known.normal if labels and label is None else ()
    configured = partial(_configuration, card, source, array, layout, ignore, format)
    try:
        dataset = read(
            source,
            configured(
                label=(label or known.label) if labels else None,
                classes=known.classes if normal else required,
                normal=normal,
            ),
            card.vocabulary,
            on_disk,
        )
    except FieldError as error:
        # Labels of the training data are optional here.
        optional = {"reader.label"} | ({"reader.classes"} if required is None else set())
        if error.field not in optional or label is not None:
            raise _as_option(error) from None
        dataset = read(source, configured(classes=required), card.vocabulary, on_disk)
        note = f"Labels are not read: {_as_option(error)}"
        dataset = replace(dataset, notes=(note, *dataset.notes))
    return _fitting(card, dataset)


def read_classes_for(
    card: Readable,
    source: Any,
    classes: str | None,
    array: str | None,
    layout: Layout | None,
    ignore: Sequence[str] = (),
    format: FileFormat = FileFormat(),
) -> Dataset:
    """Read a file or frame like the training data, with classes that the model need not know.

    Without a name for them they are those of the training data; data that lacks these has none.
    The vocabulary's classes are those of the data, except for a conditional model, which knows its
    own alone.
    """
    configured = partial(_configuration, card, source, array, layout, ignore, format)
    config = configured(classes=classes or card.reader.classes)
    try:
        found = read(source, config)
    except FieldError as error:
        if error.field != "reader.classes" or classes is not None or card.conditional:
            raise _as_option(error) from None
        config = configured()
        found = read(source, config)
    vocabulary = card.vocabulary
    if not card.conditional:
        vocabulary = replace(vocabulary, classes=found.vocabulary.classes)
    # Numbers mean the same with the same vocabulary.
    if vocabulary != found.vocabulary:
        found = read(source, config, vocabulary)
    return _fitting(card, found)


def _configuration(
    card: Readable,
    source: Any,
    array: str | None,
    layout: Layout | None,
    ignore: Sequence[str],
    format: FileFormat,
    label: str | None = None,
    classes: str | None = None,
    normal: tuple[str, ...] = (),
) -> ReaderConfig:
    """The training data's configuration with the options that are set, and with these labels."""
    known = card.reader
    if isinstance(source, np.ndarray):
        # Columns of an array have places instead of names, and it has none of times or labels.
        return ReaderConfig(layout=layout or known.layout, columns=card.channels)
    config = replace(
        known,
        label=label,
        classes=classes,
        normal=normal,
        array=array or known.array,
        layout=layout or known.layout,
        ignore=None,
        format=known.format.updated(format),
    )
    if config.layout != known.layout:
        # Names of columns in one layout have no meaning in the other.
        return replace(config, columns=None, ignore=tuple(ignore) or None)
    if known.ignore is None:
        return config  # a model from before it was recorded what was left out
    spare = [*known.ignore, *ignore, known.label, known.classes]
    used = (None, label, classes)
    return replace(config, ignore=tuple(dict.fromkeys(n for n in spare if n not in used)))


def _as_option(error: FieldError) -> FieldError:
    """An error of the reader with the names of options as they are here."""
    message = error.message.replace("--reader.", "--")
    return FieldError(error.field.removeprefix("reader."), message)


def _fitting(card: Readable, dataset: Dataset) -> Dataset:
    """The data set with series that are long enough for the model.

    Raises:
        FieldError: If a series is too short.
    """
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
