"""Latents that come from outside."""

import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.inference.latents import MAX_COORDINATE, require_latents


def test_latents_in_range_pass() -> None:
    require_latents(np.full((2, 3), -MAX_COORDINATE), 3, "latent")


@pytest.mark.parametrize("shape", [(3,), (0, 3), (2, 4), (2, 3, 1)])
def test_another_shape_is_said(shape: tuple[int, ...]) -> None:
    with pytest.raises(FieldError, match=r"^z: has the shape .*, expected \[S, 3\]$"):
        require_latents(np.zeros(shape), 3, "z")


@pytest.mark.parametrize("odd", [np.nan, np.inf, 1.01 * MAX_COORDINATE])
def test_a_coordinate_that_is_no_number_is_named(odd: float) -> None:
    values = np.zeros((4, 3))
    values[2, 1] = odd
    with pytest.raises(FieldError, match=r"^z\[2\]\[1\]: expected a number"):
        require_latents(values, 3, "z")
