from dataclasses import replace

import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.serving.contract.outputs.band import BAND
from rvae.serving.contract.outputs.computation import Computation


def test_bounds_lie_around_the_reconstruction(computation: Computation) -> None:
    for one, analysis in zip(BAND.compute(computation), computation.analyses, strict=True):
        np.testing.assert_array_equal(one["expected"], analysis.reconstruction)
        assert (one["lower"] < one["expected"]).all() and (one["expected"] < one["upper"]).all()


def test_a_larger_quantile_has_wider_bounds(computation: Computation) -> None:
    bands = [BAND.compute(replace(computation, quantile=quantile)) for quantile in (0.5, 0.9)]
    for narrow, wide in zip(*bands, strict=True):
        assert (narrow["upper"] < wide["upper"]).all()
        assert (narrow["lower"] > wide["lower"]).all()


def test_a_quantile_above_the_range_is_refused_unless_it_is_the_default(
    computation: Computation,
) -> None:
    largest = computation.card.bands.largest_quantile
    with pytest.raises(FieldError) as caught:
        BAND.compute(replace(computation, quantile=(1 + largest) / 2))
    assert caught.value.field == "quantile"
    high = replace(computation.calibration, quantile=(1 + largest) / 2)
    request = replace(computation, card=replace(computation.card, calibration=high))
    limited = BAND.compute(replace(computation, quantile=largest))
    for one, other in zip(BAND.compute(request), limited, strict=True):
        np.testing.assert_array_equal(one["upper"], other["upper"])
