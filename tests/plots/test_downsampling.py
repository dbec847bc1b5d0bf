"""Which steps of a long series are drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rvae.plots.downsampling import BINS, drawn_steps, steps_per_bin

LENGTH = 50_000
NONE = np.empty(0, np.int64)


def noise(seed: int = 0, length: int = LENGTH) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=length)


@pytest.mark.parametrize("length", [1, 100, 4 * BINS])
def test_short_series_are_drawn_whole(length: int) -> None:
    assert steps_per_bin(length) == 1
    steps = drawn_steps([np.zeros(length)], length, NONE)
    assert steps.tolist() == list(range(length))


@settings(max_examples=20)
@given(st.integers(0, LENGTH - 1), st.sampled_from([-9.0, 9.0]))
def test_a_spike_of_one_point_survives(place: int, height: float) -> None:
    values = noise()
    values[place] = height
    steps = drawn_steps([values], LENGTH, NONE)
    assert place in steps
    assert len(steps) <= 4 * BINS


def test_the_lowest_and_the_highest_of_every_bin_are_kept() -> None:
    values = noise()
    steps = drawn_steps([values], LENGTH, NONE)
    size = steps_per_bin(LENGTH)
    assert size == LENGTH // BINS
    bins = values.reshape(BINS, size)
    kept = np.where(np.isin(np.arange(LENGTH), steps), values, np.nan).reshape(BINS, size)
    np.testing.assert_array_equal(np.nanmin(kept, axis=1), bins.min(axis=1))
    np.testing.assert_array_equal(np.nanmax(kept, axis=1), bins.max(axis=1))


def test_a_spike_beside_missing_values_survives() -> None:
    values = noise()
    values[::2] = np.nan
    values[12_345] = 9
    assert 12_345 in drawn_steps([values], LENGTH, NONE)


def test_a_gap_stays_a_gap_of_its_width() -> None:
    values = noise()
    values[10_007:12_003] = np.nan
    steps = drawn_steps([values], LENGTH, NONE)
    assert {10_006, 10_007, 12_003} <= set(steps.tolist())
    assert np.isnan(values[steps[(steps >= 10_007) & (steps < 12_003)]]).all()


def test_every_curve_keeps_its_extremes_and_named_steps_are_kept() -> None:
    one, other = np.zeros(LENGTH), np.zeros(LENGTH)
    one[111], other[222] = 1, -1
    steps = drawn_steps([one, other], LENGTH, np.array([31_415]))
    assert {111, 222, 31_415} <= set(steps.tolist())
    assert (np.diff(steps) > 0).all()


def test_a_column_of_a_table_is_read_as_it_is() -> None:
    """Of which the neighbours in memory are other channels."""
    table = np.zeros((LENGTH, 3))
    table[777, 1], table[888, 2] = 5, 7
    steps = drawn_steps([table[:, 1]], LENGTH, NONE).tolist()
    assert 777 in steps and 888 not in steps


def test_a_series_without_any_value_can_be_drawn() -> None:
    assert len(drawn_steps([np.full(LENGTH, np.nan)], LENGTH, NONE)) > 0
