import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.inference.latents import MAX_COORDINATE
from rvae.serving.contract.inputs.latents import latent_input
from tests.support.untrained import untrained_card

CARD = untrained_card()
D = CARD.model.latent


def test_latents_are_several_windows_without_series() -> None:
    values = np.arange(2.0 * D).reshape(2, D)
    values[0, 0] = -MAX_COORDINATE
    found = latent_input(values, "latent", CARD, wide=False)
    assert found.latent is not None
    np.testing.assert_array_equal(found.latent, values.astype(np.float32))
    assert (found.series, found.flat, found.many, found.wide) == ([], [], True, False)


@pytest.mark.parametrize("shape", [(D,), (0, D), (2, D + 1), (2, D, 1)])
def test_every_latent_has_as_many_numbers_as_the_model(shape: tuple[int, ...]) -> None:
    with pytest.raises(FieldError, match=r"expected \[S, 3\]") as caught:
        latent_input(np.zeros(shape), "latent", CARD)
    assert caught.value.field == "latent"


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 1.01 * MAX_COORDINATE])
def test_the_first_coordinate_that_is_no_finite_number_is_named(odd: float) -> None:
    values = np.zeros((3, D))
    values[1, 2] = values[2, 0] = odd
    with pytest.raises(FieldError) as caught:
        latent_input(values, "z", CARD)
    assert caught.value.field == "z[1][2]"
