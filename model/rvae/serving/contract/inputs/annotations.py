"""Annotations of series in a request: times and classes."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.data.vocabulary import normalize_word
from rvae.errors import FieldError, require
from rvae.inference.card import Card

__all__ = ["per_series", "require_rising", "series_classes", "series_times"]


def per_series(value: Any, field: str, many: bool, count: int) -> list[tuple[str, Any]]:
    """The annotation of each series, with its name in errors.

    Args:
        value: Field of the request: the annotation of the series, or a list of them if the request
            allows several series.
        field: Name of the field.
        many: Whether the request allows several series.
        count: Number of series.

    Raises:
        FieldError: If it is not a list with as many entries as there are instances.
    """
    if value is None:
        return [(field, None)] * count
    if not many:
        return [(field, value)]
    require(
        type(value) is list and len(value) == count,
        field,
        f"expected a list with an entry for each of the {count} instances",
    )
    return [(f"{field}[{i}]", entry) for i, entry in enumerate(value)]


def series_times(
    timestamps: list[tuple[str, Any]], lengths: list[int], card: Card
) -> list[NDArray[np.datetime64] | None]:
    """The times (N,) of each series of length N; None where there are none.

    Raises:
        FieldError: If they do not fit the model or the lengths, or do not rise.
    """
    times: list[NDArray[np.datetime64] | None] = []
    for (field, value), length in zip(timestamps, lengths, strict=True):
        if value is None:
            require(
                not card.model.time.calendar,
                field,
                "is missing: this model needs the time of every step",
            )
            times.append(None)
            continue
        require(
            type(value) is list and len(value) == length,
            field,
            f"expected a list of {length} times, one for each time step",
        )
        when = np.array(
            [_time(text, f"{field}[{step}]") for step, text in enumerate(value)], "datetime64[us]"
        )
        require_rising(when, field)
        times.append(when)
    return times


def require_rising(times: NDArray[np.datetime64], field: str) -> None:
    """Raise a `FieldError` where a time (N,) is not later than the one before."""
    rising = np.diff(times) > np.timedelta64(0)
    if not rising.all():
        raise FieldError(field, f"does not rise after step {np.argmin(rising)}")


def _time(text: Any, field: str) -> datetime:
    """A time without time zone, in UTC if the text has a zone."""
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except (TypeError, ValueError, OverflowError):
        raise FieldError(field, "expected a time such as 2026-01-31T12:00:00Z") from None


def series_classes(
    labels: list[tuple[str, Any]], lengths: list[int], card: Card
) -> list[NDArray[np.int64] | None]:
    """The class of each series at all its steps (N,); None where there is none.

    Raises:
        FieldError: If the model needs one and it is missing or unknown.
    """
    classes: list[NDArray[np.int64] | None] = []
    vocabulary = card.vocabulary.classes
    for (field, value), length in zip(labels, lengths, strict=True):
        if value is None:
            require(
                not card.model.conditional,
                field,
                f"is missing: this model needs the class, one of {', '.join(vocabulary)}",
            )
            classes.append(None)
            continue
        word = normalize_word(str(value)) if type(value) in (int, str) else None
        require(bool(vocabulary), field, "is not valid: this model has no classes")
        require(word in vocabulary, field, f"expected one of {', '.join(vocabulary)}")
        classes.append(np.full(length, vocabulary.index(word)))
    return classes
