"""Pieces of series → the bodies of requests."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import ipc

from rvae.client.description import Description
from rvae.client.pieces import Piece
from rvae.client.transport import Outgoing
from rvae.data.series import Series
from rvae.errors import require

__all__ = ["MOST_SERIES", "fit_together", "most_series", "series_request", "windows_request"]

JSON, NPY = "application/json", "application/octet-stream"
ARROW = "application/vnd.apache.arrow.stream"

MOST_SERIES = 1024
# Of a header, which takes a few thousand in all.
BYTES_OF_LABELS = 4000


def most_series(description: Description) -> int:
    """How many series a body can hold: no times fit into an array, and few labels into a header."""
    if description.timed:
        return 1
    longest = max((len(_in_header(word)) for word in description.vocabulary.classes), default=0)
    return BYTES_OF_LABELS // (longest + 1) if description.conditional else MOST_SERIES


def fit_together(description: Description, group: Sequence[Piece]) -> bool:
    """Whether pieces fit into one body: an array, in which each has one class."""
    return len(group) == 1 or (
        len({piece.steps for piece in group}) == 1
        and (not description.conditional or None not in _labels(description, group))
    )


def series_request(
    description: Description, group: Sequence[Piece], options: Mapping[str, Any]
) -> Outgoing:
    """A request about pieces that fit together, which is answered with JSON.

    Numbers are an array, which a server reads fastest; with times, or classes that change, they are
    a table of Arrow.

    Raises:
        FieldError: If a series lacks what the model needs.
    """
    parts = [piece.part(description.filling) for piece in group]
    if description.conditional:
        for part in parts:
            known = part.classified
            require(known, "label", "is missing or unknown: this model needs the class")
        labels = _labels(description, group)
        if None not in labels:
            options = {**options, "label": labels[0] if description.timed else labels}
    if description.timed or (description.conditional and "label" not in options):
        (part,) = parts
        table = _table(description, part, with_classes="label" not in options)
        return _request(description, table, ARROW, JSON, options)
    values = np.stack([np.asarray(part.values, np.float64) for part in parts])
    return _request(description, _npy(values), NPY, JSON, options)


def windows_request(
    description: Description, windows: NDArray[Any], options: Mapping[str, Any]
) -> Outgoing:
    """A request about windows (S, T, C), which is answered with an array."""
    return _request(description, _npy(windows), NPY, NPY, options)


def _request(
    description: Description, body: bytes, kind: str, accept: str, options: Mapping[str, Any]
) -> Outgoing:
    headers = {
        "Content-Type": kind,
        "Accept": accept,
        "Rvae-Options": _in_header(options),
    }
    return Outgoing(description.path, body, headers)


def _in_header(content: Any) -> str:
    """JSON in ASCII, as headers have no other characters."""
    return json.dumps(content, separators=(",", ":"))


def _npy(values: NDArray[Any]) -> bytes:
    sink = io.BytesIO()
    np.save(sink, np.ascontiguousarray(values), allow_pickle=False)
    return sink.getvalue()


def _labels(description: Description, group: Sequence[Piece]) -> list[str | None]:
    """The class of each piece; None if it has several."""
    classes = description.vocabulary.classes
    codes = [np.unique(piece.part(description.filling).class_codes) for piece in group]
    return [classes[found[0]] if len(found) == 1 else None for found in codes]


def _table(description: Description, series: Series, with_classes: bool) -> bytes:
    """A table as the training file was: a column per channel, and those of times and classes."""
    reader, vocabulary = description.reader, description.vocabulary
    columns: dict[str, Any] = {}
    for name, values in zip(description.channels, np.asarray(series.values).T, strict=True):
        if name in vocabulary.categories:
            columns[name] = _words(vocabulary.categories[name], values)
        else:
            columns[name] = pa.array(np.asarray(values, np.float64))
    if description.timed:
        require(reader.time is not None, "timestamps", "had no column that a table could name")
        columns[str(reader.time)] = pa.array(series.clock())
    if description.conditional and with_classes:
        require(reader.classes is not None, "label", "changes, and had no column in training")
        columns[str(reader.classes)] = _words(vocabulary.classes, series.class_codes + 1)
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _words(known: Sequence[str], numbers: NDArray[Any]) -> pa.Array:
    """Words of the numbers of categories from 1 on, of an unknown one for 0, none for NaN."""
    unknown = "?"
    while unknown in known:
        unknown += "?"
    words = np.array([unknown, *known], dtype=object)
    missing = np.isnan(numbers)
    return pa.array(
        words[np.where(missing, 0, numbers).astype(np.int64)], pa.string(), mask=missing
    )
