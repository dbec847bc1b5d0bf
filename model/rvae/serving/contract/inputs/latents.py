"""Latents of a request, in any format."""

import numpy as np
from numpy.typing import NDArray

from rvae.inference.card import Card
from rvae.inference.latents import require_latents
from rvae.serving.contract.inputs.series_input import SeriesInput

__all__ = ["latent_input"]


def latent_input(
    values: NDArray[np.float64], field: str, card: Card, wide: bool = True
) -> SeriesInput:
    """Latents (S, D) to decode.

    Raises:
        FieldError: If they do not fit the model, or one is not a finite number.
    """
    require_latents(values, card.model.latent, field)
    return SeriesInput([], [], many=True, latent=values.astype(np.float32), wide=wide)
