import numpy as np

from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.outputs.reconstruction import RECONSTRUCTION


def test_it_is_near_series_of_the_kind_that_was_learnt(
    computation: Computation, fresh: list[np.ndarray]
) -> None:
    series = [fresh[0], np.concatenate(fresh[:3])]
    for one, values in zip(RECONSTRUCTION.compute(computation), series, strict=True):
        assert one["reconstruction"].shape == values.shape
    (first, _) = RECONSTRUCTION.compute(computation)
    error = first["reconstruction"] - series[0]
    assert error.var() < 0.2 * series[0].var()
