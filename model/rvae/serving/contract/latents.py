"""Latents that came with a request, whatever they came in."""

import numpy as np
from numpy.typing import NDArray

from rvae.errors import FieldError, require
from rvae.inference.card import Card
from rvae.serving.contract.given import Given

__all__ = ["latents"]

# Under a standard normal prior nothing is anywhere near.
FARTHEST = 1e6


def latents(values: NDArray[np.float64], field: str, card: Card, wide: bool = True) -> Given:
    """Latents (S, D) as what a request is about.

    Raises:
        FieldError: If they do not fit the model, or one is not a finite number.
    """
    shape, size = values.shape, card.model.latent
    require(
        len(shape) == 2 and shape[1] == size and shape[0] > 0,
        field,
        f"has the shape {list(shape)}, expected [S, {size}]",
    )
    wrong = ~(np.abs(values) <= FARTHEST)
    if wrong.any():
        row, column = divmod(int(np.argmax(wrong)), size)
        raise FieldError(
            f"{field}[{row}][{column}]", f"expected a number from {-FARTHEST:g} to {FARTHEST:g}"
        )
    return Given([], [], many=True, latent=values.astype(np.float32), wide=wide)
