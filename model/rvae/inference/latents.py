"""Latents that come from outside."""

import numpy as np
from numpy.typing import NDArray

from rvae.errors import FieldError, require

__all__ = ["MAX_COORDINATE", "require_latents"]

# Far beyond what a standard normal prior can draw.
MAX_COORDINATE = 1e6


def require_latents(values: NDArray[np.floating], dimensions: int, field: str) -> None:
    """Raise a `FieldError` unless values are latents (S, D) with finite coordinates, S ≥ 1."""
    shape = values.shape
    require(
        len(shape) == 2 and shape[1] == dimensions and shape[0] > 0,
        field,
        f"has the shape {list(shape)}, expected [S, {dimensions}]",
    )
    wrong = ~(np.abs(values) <= MAX_COORDINATE)
    if wrong.any():
        row, column = divmod(int(np.argmax(wrong)), dimensions)
        raise FieldError(
            f"{field}[{row}][{column}]",
            f"expected a number from {-MAX_COORDINATE:g} to {MAX_COORDINATE:g}",
        )
