import numpy as np

from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.outputs.latent import LATENT


def test_it_is_the_latent_of_each_window(computation: Computation) -> None:
    values = LATENT.compute(computation)
    size = computation.card.model.latent
    assert [one["latent"].shape for one in values] == [(1, size), (5, size)]
    for one, analysis in zip(values, computation.analyses, strict=True):
        np.testing.assert_array_equal(one["latent"], analysis.latent)
