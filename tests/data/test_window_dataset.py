"""Windows that are cut when they are asked for."""

import numpy as np
import pytest

from rvae.data.scaler import Scaler
from rvae.data.series import Series
from rvae.data.window_dataset import WINDOWS_PER_BATCH, WindowDataset


def windows(*lengths: int, stride: int = 1) -> WindowDataset:
    """Windows of four steps whose values tell the series and the step."""
    series = [
        Series(np.arange(100.0 * i, 100.0 * i + n)[:, None], str(i)) for i, n in enumerate(lengths)
    ]
    return WindowDataset(series, Scaler((0.0,), (1.0,), (0,)), 4, stride, ())


def test_windows_of_all_series_come_one_after_another() -> None:
    data = windows(6, 4, 9, stride=2)
    firsts = data.__getitems__(range(len(data))).x[:, 0, 0].tolist()
    assert firsts == [0, 2, 100, 200, 202, 204, 205]
    assert data.segments == 3  # a rest of two steps belongs to the one before


def test_a_subset_of_a_subset_has_the_windows_that_are_asked_for() -> None:
    data = windows(10).subset(np.array([6, 1, 3])).subset(np.array([2, 0]))
    assert data.__getitems__(range(len(data))).x[:, 0, 0].tolist() == [3, 6]


def test_observed_windows_are_counted_up_to_a_limit() -> None:
    values = np.full((40, 1), np.nan)
    values[20] = 1.0
    data = WindowDataset([Series(values)], Scaler((0.0,), (1.0,), (0,)), 4, 1, ())
    assert data.count_observed(100) == 4
    assert data.count_observed(3) == 3


def test_evenly_spaced_windows_reach_from_the_first_to_the_last() -> None:
    data = WindowDataset([Series(np.zeros((14, 1)))], Scaler((0.0,), (1.0,), (0,)), 4, 1, ())
    assert len(data) == 11
    assert data.evenly_spaced(3).tolist() == [0, 5, 10]
    assert data.evenly_spaced(99).tolist() == list(range(11))


@pytest.mark.parametrize("count", [1, 7, WINDOWS_PER_BATCH + 1, None])
def test_batches_of_some_windows_have_them_in_order_and_evenly_spaced(count: int | None) -> None:
    data = windows(603)
    batches = [batch.x for batch in data.batches(count)]
    assert all(0 < len(x) <= WINDOWS_PER_BATCH for x in batches)
    expected = np.arange(600) if count is None else np.linspace(0, 599, count, dtype=int)
    np.testing.assert_array_equal(np.concatenate(batches)[:, 0, 0], expected)
