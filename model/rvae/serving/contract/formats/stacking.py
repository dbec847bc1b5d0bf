"""Arrays of several series → one array."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.errors import require
from rvae.serving.contract.inputs.series_input import SeriesInput

__all__ = ["stacked"]


def stacked(arrays: Sequence[NDArray[Any]], inputs: SeriesInput) -> NDArray[Any]:
    """The arrays of several series with an axis for them (S, ...), or the array of the only one.

    Raises:
        FieldError: If the series differ in length.
    """
    if not inputs.many:
        return arrays[0]
    require(
        len({array.shape for array in arrays}) == 1,
        "instances",
        "differ in length: accept application/json, which answers them one by one",
    )
    return np.stack(arrays)
