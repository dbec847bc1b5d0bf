"""Annotations of values in a file: labels, times and classes."""

import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.data.vocabulary import normalize_word
from rvae.errors import require

__all__ = ["anomalies", "as_labels", "as_times", "rows"]


def as_labels(labels: NDArray[Any], field: str) -> NDArray[np.bool_]:
    """Numbers or booleans of any shape → booleans, true where anomalous.

    Raises:
        FieldError: If there is anything else, or if -1 and 1 would both mark anomalies.
    """
    require(
        labels.dtype.kind in "fiub" and not np.isnan(labels.astype(np.float64)).any(),
        "reader.label",
        f"{field!r} must hold a number or truth value everywhere",
    )
    marked = labels != 0
    require(
        not (marked.all() and (labels > 0).any() and (labels < 0).any()),
        "reader.label",
        f"{field!r} holds positive and negative numbers but no zero, so every step would be "
        f"anomalous: if 1 is normal, say --reader.classes {shlex.quote(field)} "
        """--reader.normal '["1"]' instead""",
    )
    return marked


def as_times(times: NDArray[Any], field: str) -> NDArray[np.datetime64]:
    """Timestamps of any shape → the same in microseconds.

    Raises:
        FieldError: If there is anything else.
    """
    require(
        times.dtype.kind == "M" and not np.isnat(times).any(),
        "reader.time",
        f"{field!r} must hold a timestamp everywhere",
    )
    return times.astype("datetime64[us]")


def anomalies(
    classes: NDArray[np.int64], vocabulary: Sequence[str], normal: Sequence[str]
) -> NDArray[np.bool_]:
    """Where a class (...), an index of the vocabulary, is not one of the normal classes.

    Raises:
        FieldError: If a normal class is not in the vocabulary.
    """
    words = [normalize_word(word) for word in normal]
    for word in words:
        require(word in vocabulary, "reader.normal", f"there is no class {word!r}")
    return ~np.isin(classes, [vocabulary.index(word) for word in words])


def rows(
    values: Sequence[NDArray[np.float64]],
    labels: NDArray[np.bool_] | None,
    classes: NDArray[np.int64] | None,
) -> list[Series]:
    """Series (N,) or (N, C), each with at most one label and one class."""
    return [
        Series(
            row[:, None] if row.ndim == 1 else row,
            str(i),
            None if labels is None else np.full(len(row), labels[i]),
            None,
            None if classes is None else np.full(len(row), classes[i]),
        )
        for i, row in enumerate(values)
    ]
