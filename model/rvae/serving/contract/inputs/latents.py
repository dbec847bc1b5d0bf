"""Latents of a request, in any format."""

import numpy as np
from numpy.typing import NDArray

from rvae.errors import FieldError, require
from rvae.inference.card import Card
from rvae.serving.contract.inputs.series_input import SeriesInput

__all__ = ["MAX_COORDINATE", "latent_input"]

# Far beyond what a standard normal prior can draw.
MAX_COORDINATE = 1e6


def latent_input(
    values: NDArray[np.float64], field: str, card: Card, wide: bool = True
) -> SeriesInput:
    """Latents (S, D) to decode.

    Raises:
        FieldError: If they do not fit the model, or one is not a finite number.
    """
    shape, size = values.shape, card.model.latent
    require(
        len(shape) == 2 and shape[1] == size and shape[0] > 0,
        field,
        f"has the shape {list(shape)}, expected [S, {size}]",
    )
    wrong = ~(np.abs(values) <= MAX_COORDINATE)
    if wrong.any():
        row, column = divmod(int(np.argmax(wrong)), size)
        raise FieldError(
            f"{field}[{row}][{column}]",
            f"expected a number from {-MAX_COORDINATE:g} to {MAX_COORDINATE:g}",
        )
    return SeriesInput([], [], many=True, latent=values.astype(np.float32), wide=wide)
