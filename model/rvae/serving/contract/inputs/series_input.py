"""Series or latents of a request, in any format."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.errors import FieldError, require
from rvae.inference.card import Card
from rvae.serving.contract.inputs.annotations import per_series, series_classes, series_times
from rvae.serving.contract.options import MAX_SERIES, Options

__all__ = [
    "SeriesInput",
    "annotated_input",
    "first_out_of_bounds",
    "require_in_bounds",
    "require_series_count",
    "require_window",
]

Place = Callable[[int, int], str]


@dataclass(frozen=True)
class SeriesInput:
    """Series or latents of a request, checked against the model.

    Attributes:
        series: Empty for a request to decode or sample.
        flat: For each series, whether its values came without a channel axis, as `columns` of a
            single channel do, too.
        many: Whether the form of the request allows several series.
        latent: Latents (S, D) to decode, in a request to do so.
        wide: Whether numbers came with more than 32 bits.
        named: Whether each series came with a name.
    """

    series: list[Series]
    flat: list[bool]
    many: bool
    latent: NDArray[np.float32] | None = None
    wide: bool = True
    named: bool = False


def annotated_input(
    values: Sequence[NDArray[np.float64]],
    flat: list[bool],
    many: bool,
    options: Options,
    card: Card,
    wide: bool = True,
) -> SeriesInput:
    """Series whose values (N, C) were checked, with the times and classes in the options.

    Raises:
        FieldError: If times or classes do not fit the model or the values.
    """
    lengths = [len(one) for one in values]
    timestamps = per_series(options.timestamps, "timestamps", many, len(values))
    labels = per_series(options.label, "label", many, len(values))
    times = series_times(timestamps, lengths, card)
    classes = series_classes(labels, lengths, card)
    series = [
        Series(one, str(i), None, when, codes)
        for i, (one, when, codes) in enumerate(zip(values, times, classes, strict=True))
    ]
    return SeriesInput(series, flat, many, wide=wide)


def require_series_count(count: int, field: str) -> None:
    """Raise a `FieldError` where a request has too many series."""
    require(
        count <= MAX_SERIES, field, f"has {count} series, the maximum is {MAX_SERIES}: send fewer"
    )


def require_window(steps: int, field: str, card: Card) -> None:
    """Raise a `FieldError` where a series is shorter than the model's window."""
    require(
        steps >= card.window,
        field,
        f"has {steps} time steps, but a window of this model has {card.window}",
    )


def require_in_bounds(
    values: NDArray[np.float64],
    absent: NDArray[np.bool_] | None,
    field: str,
    place: Place,
    card: Card,
) -> None:
    """Raise a `FieldError` where a value is out of the model's bounds, or all are missing.

    Args:
        values: Values of a series (N, C).
        absent: Which of them are missing (N, C); None if none are.
        field: Name of the series in errors.
        place: Name of the value of a step and channel in errors.
        card: Card of the model.
    """
    wrong = _out_of_bounds(values, card)
    if absent is not None:
        require(not absent.all(), field, "has no value at all")
        wrong &= ~absent
    if wrong.any():
        low, high = card.scaler.bounds
        step, channel = divmod(int(np.argmax(wrong)), values.shape[1])
        takes = "whole numbers of categories" if card.scaler.categories[channel] else "values"
        raise FieldError(
            place(step, channel),
            f"is {values[step, channel]:g}, but the model takes {takes} from "
            f"{low[channel]:.4g} to {high[channel]:.4g}",
        )


def first_out_of_bounds(values: NDArray[np.float64], card: Card) -> int | None:
    """Number of the first of several series that `require_in_bounds` refuses, if there is one.

    One look at all of them takes a fraction of the time of one at each.

    Args:
        values: Values of the series (S, N, C), NaN where missing.
        card: Card of the model.
    """
    absent = np.isnan(values)
    wrong = _out_of_bounds(values, card) & ~absent
    refused = wrong.any(axis=(1, 2)) | absent.all(axis=(1, 2))
    return int(refused.argmax()) if refused.any() else None


def _out_of_bounds(values: NDArray[np.float64], card: Card) -> NDArray[np.bool_]:
    """Which values (..., C) the model does not take, NaN among them."""
    low, high = card.scaler.bounds
    wrong = ~((values >= low) & (values <= high))
    if any(card.scaler.categories):
        coded = np.array(card.scaler.categories) > 0
        wrong |= coded & (values != np.trunc(values))
    return wrong
