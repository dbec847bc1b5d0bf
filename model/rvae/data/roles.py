"""What stands beside values in a file: labels, times and classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.data.vocabulary import normalize_word
from rvae.errors import require

__all__ = ["anomalies", "as_labels", "as_times", "rows"]


def as_labels(labels: NDArray[Any], field: str) -> NDArray[np.bool_]:
    """Numbers or truth values of any shape → where they mark anomalies.

    Raises:
        FieldError: If something else stands there.
    """
    require(
        labels.dtype.kind in "fiub" and not np.isnan(labels.astype(np.float64)).any(),
        "reader.label",
        f"{field!r} must hold a number or truth value everywhere",
    )
    return labels != 0


def as_times(times: NDArray[Any], field: str) -> NDArray[np.datetime64]:
    """Timestamps of any shape → the same in microseconds.

    Raises:
        FieldError: If there is something else.
    """
    require(
        times.dtype.kind == "M" and not np.isnat(times).any(),
        "reader.time",
        f"{field!r} must hold a timestamp everywhere",
    )
    return times.astype("datetime64[us]")


def anomalies(
    classes: NDArray[np.int64], known: Sequence[str], normal: Sequence[str]
) -> NDArray[np.bool_]:
    """Where the class (...), an index of the known ones, is none of the normal ones.

    Raises:
        FieldError: If a normal class is not known.
    """
    words = [normalize_word(word) for word in normal]
    for word in words:
        require(word in known, "reader.normal", f"there is no class {word!r}")
    return ~np.isin(classes, [known.index(word) for word in words])


def rows(
    values: Sequence[NDArray[np.float64]],
    labels: NDArray[np.bool_] | None,
    classes: NDArray[np.int64] | None,
) -> list[Series]:
    """Whole series (N,) or (N, C), each with one label and one class, if there are any."""
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
