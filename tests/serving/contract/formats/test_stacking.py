import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.serving.contract.formats.stacking import stacked
from rvae.serving.contract.inputs.series_input import SeriesInput

ONE, MANY = SeriesInput([], [], many=False), SeriesInput([], [], many=True)


def test_several_series_have_an_axis_and_the_only_one_has_none() -> None:
    array = np.arange(6.0).reshape(3, 2)
    assert stacked([array], ONE) is array
    np.testing.assert_array_equal(stacked([array], MANY), array[None])
    np.testing.assert_array_equal(stacked([array, -array], MANY), [array, -array])


def test_series_of_two_lengths_are_no_array() -> None:
    with pytest.raises(FieldError, match="differ in length") as caught:
        stacked([np.zeros(3), np.zeros(4)], MANY)
    assert caught.value.field == "instances"
