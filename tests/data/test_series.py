import numpy as np
import pytest

from rvae.data.series import Series
from rvae.errors import FieldError


def test_a_part_has_its_labels_and_classes() -> None:
    series = Series(
        np.arange(6.0)[:, None], "s", np.arange(6) > 3, None, np.array([0, 0, 1, 1, -1, 2])
    )
    part = series.part(2, 5)
    assert part.values[:, 0].tolist() == [2, 3, 4]
    assert part.anomalous.tolist() == [False, False, True]
    assert part.class_codes.tolist() == [1, 1, -1]
    assert not part.classified and series.part(0, 4).classified


def test_padding_is_missing() -> None:
    padded = Series(np.ones((2, 1)), classes=np.array([3, 3])).padded(4)
    np.testing.assert_array_equal(padded.values[:, 0], [1, 1, np.nan, np.nan])
    assert padded.class_codes.tolist() == [3] * 4


def test_times_that_are_missing_are_asked_for() -> None:
    with pytest.raises(FieldError, match="timestamps"):
        Series(np.ones((2, 1))).clock()
