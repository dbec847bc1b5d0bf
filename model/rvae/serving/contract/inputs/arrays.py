"""Series and latents as arrays of numbers."""

import numpy as np
from numpy.typing import NDArray

from rvae.errors import FieldError, require
from rvae.inference.card import Card
from rvae.serving.contract.inputs.latents import latent_input
from rvae.serving.contract.inputs.series_input import (
    SeriesInput,
    annotated_input,
    first_out_of_bounds,
    require_in_bounds,
    require_series_count,
    require_window,
)
from rvae.serving.contract.options import Options

__all__ = ["array_input"]


def array_input(
    array: NDArray[np.generic], options: Options, card: Card, field: str = "body"
) -> SeriesInput:
    """Latents (S, D), one series (N,) or (N, C), or several series (S, N, C).

    NaN is a missing value, and a category is its number.

    Args:
        array: Integers or floats.
        options: Fields of the request.
        card: Card of the model.
        field: Name of the array in errors.

    Raises:
        FieldError: If it does not fit the model.
    """
    wide = array.dtype.itemsize > 4
    if options.task == "decode":
        return latent_input(_doubles(array), field, card, wide)
    channels, dimensions = len(card.channels), array.ndim
    fits = (dimensions == 1 and channels == 1) or (
        dimensions in (2, 3) and array.shape[-1] == channels
    )
    require(
        fits,
        field,
        f"has the shape {str(list(array.shape))[:100]}, expected [N, {channels}] for one series or "
        f"[S, N, {channels}] for several",
    )
    if options.task == "sample":
        raise FieldError(field, "is only valid for the tasks score, encode and reconstruct")
    require_window(array.shape[-2] if dimensions > 1 else len(array), field, card)
    many, flat = dimensions == 3, dimensions == 1
    require_series_count(len(array) if many else 1, field)
    series = _doubles(array).reshape((-1, *array.shape[-2:]) if many else (1, -1, channels))

    number = first_out_of_bounds(series, card)
    if number is not None:
        name = f"{field}[{number}]" if many else field

        def place(step: int, channel: int) -> str:
            return f"{name}[{step}]" if flat else f"{name}[{step}][{channel}]"

        require_in_bounds(series[number], np.isnan(series[number]), name, place, card)
    return annotated_input(list(series), [flat] * len(series), many, options, card, wide)


def _doubles(array: NDArray[np.generic]) -> NDArray[np.float64]:
    # Bytes of any kind may be a NaN that signals, or beyond the range: no news to a log.
    with np.errstate(invalid="ignore", over="ignore"):
        return array.astype(np.float64)
