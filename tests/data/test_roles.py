from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.data.roles import anomalies, as_labels, as_times, rows
from rvae.errors import FieldError


@pytest.mark.parametrize(
    "labels", [np.array([[0, 3], [-1, 0]]), np.array([[0.0, 0.5], [-0.1, 0.0]])]
)
def test_any_number_but_zero_marks_an_anomaly(labels: NDArray[Any]) -> None:
    assert as_labels(labels, "y").tolist() == [[False, True], [True, False]]
    assert as_labels(labels != 0, "y").tolist() == [[False, True], [True, False]]


@pytest.mark.parametrize("labels", [np.array([0, np.nan]), np.array(["0", "1"])])
def test_labels_are_numbers_everywhere(labels: NDArray[Any]) -> None:
    with pytest.raises(FieldError, match="'y'") as caught:
        as_labels(labels, "y")
    assert caught.value.field == "reader.label"


@pytest.mark.parametrize("labels", [np.array([1, -1, 1]), np.array([[-1.0], [1.0]])])
def test_minus_one_and_one_cannot_both_be_anomalies(labels: NDArray[Any]) -> None:
    with pytest.raises(FieldError, match=r"--reader\.classes 'is ok' --reader\.normal") as caught:
        as_labels(labels, "is ok")
    assert caught.value.field == "reader.label"
    assert as_labels(np.abs(labels), "y").all()


def test_times_are_in_microseconds() -> None:
    times = as_times(np.array(["2026-01-31T12:00"], "M8[m]"), "t")
    assert times.dtype == "M8[us]"
    assert times[0] == np.datetime64("2026-01-31T12:00")


@pytest.mark.parametrize("times", [np.array([1, 2]), np.array(["2026-01-31", "NaT"], "M8[D]")])
def test_times_are_timestamps_everywhere(times: NDArray[Any]) -> None:
    with pytest.raises(FieldError, match="'t'") as caught:
        as_times(times, "t")
    assert caught.value.field == "reader.time"


def test_every_class_but_the_normal_ones_is_an_anomaly() -> None:
    classes = np.array([[0, 1], [2, -1]])
    found = anomalies(classes, ("1", "2", "odd"), ("2.0", "1"))
    assert found.tolist() == [[False, False], [True, True]]
    with pytest.raises(FieldError) as caught:
        anomalies(classes, ("1", "2", "odd"), ("3",))
    assert caught.value.field == "reader.normal"


def test_a_row_is_a_series_with_one_label_and_one_class() -> None:
    values = [np.arange(3.0), np.ones((2, 2))]
    one, other = rows(values, np.array([True, False]), np.array([4, 5]))
    assert (one.name, one.values.shape, other.values.shape) == ("0", (3, 1), (2, 2))
    assert one.anomalous.tolist() == [True] * 3 and other.anomalous.tolist() == [False] * 2
    assert one.class_codes.tolist() == [4] * 3 and other.class_codes.tolist() == [5] * 2
    assert all(series.labels is series.classes is None for series in rows(values, None, None))
