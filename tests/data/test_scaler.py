from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.data.scaler import Scaler, summarise
from rvae.data.series import Series
from rvae.errors import FieldError


def as_series(values: NDArray[np.float64]) -> Series:
    return Series(np.asarray(values, dtype=float))


def fitted(values: NDArray[np.float64], channels: Sequence[str], **options: Any) -> Scaler:
    return Scaler.fit(summarise([as_series(values)]), channels, [0] * len(channels), **options)


def test_scaled_values_have_zero_mean_and_unit_spread() -> None:
    random = np.random.default_rng(0)
    values = random.normal([5, -3e9], [2, 1e3], (500, 2))
    values[::7, 0] = np.nan
    parts = [as_series(values[:200]), as_series(values[200:])]
    scaler = Scaler.fit(summarise(parts), ("a", "b"), (0, 0))
    scaled = scaler.transform(values)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(np.nanmean(scaled, 0), 0, atol=1e-6)
    np.testing.assert_allclose(np.nanstd(scaled, 0), 1, atol=1e-6)
    # float32 resolves 1e-7 of the spread, not of a level of 3e9
    np.testing.assert_allclose(scaler.inverse(scaled), values, rtol=0, atol=1e-3)


@pytest.mark.parametrize("factor", [1e200, 1e-170])
def test_a_channel_out_of_range_is_named(factor: float) -> None:
    values = np.stack([np.arange(4.0), np.arange(4.0) * factor], axis=1)
    with pytest.raises(FieldError) as caught:
        fitted(values, ("fine", "far"))
    assert caught.value.field == "far"


@pytest.mark.parametrize("column", [[np.nan] * 4, [2.0] * 4, [2.0, np.nan, 2.0, np.nan]])
def test_a_channel_without_variation_is_named(column: list[float]) -> None:
    values = np.stack([np.arange(4), column], axis=1)
    with pytest.raises(FieldError) as caught:
        fitted(values, ("fine", "flat"))
    assert caught.value.field == "flat"


def test_a_channel_of_the_unit_interval_stays_as_it_is() -> None:
    values = np.random.default_rng(0).uniform(0, 1, (50, 2))
    scaler = fitted(values, ("a", "b"), unit_interval=True)
    np.testing.assert_array_equal(scaler.transform(values), values.astype(np.float32))
    with pytest.raises(FieldError) as caught:
        fitted(values * [1, 16], ("a", "b"), unit_interval=True)
    assert caught.value.field == "b"


def test_categories_are_spread_out_and_the_likeliest_comes_back() -> None:
    scaler = Scaler((2.0, 0.0), (0.5, 1.0), (0, 3))
    values = np.array([[1.0, 1], [2.0, 3], [np.nan, 0], [3.0, np.nan]])
    spread = scaler.one_hot(scaler.transform(values))
    np.testing.assert_array_equal(
        spread,
        [[-2, 1, 0, 0], [0, 0, 0, 1], [np.nan, 0, 0, 0], [2, np.nan, np.nan, np.nan]],
    )
    back = scaler.inverse(np.array([[-2, 0.2, 0.7, 0.1], [1.0, 0.5, 0.1, 0.4]]))
    np.testing.assert_array_equal(back, [[1, 2], [2.5, 1]])


def test_a_channel_that_does_not_vary_may_be_kept_in_its_own_unit() -> None:
    scaler = fitted(np.array([[1.0, 5.0], [3.0, 5.0]]), ["a", "b"], keep_constant=True)
    np.testing.assert_allclose(scaler.transform(np.array([[3.0, 5.5]])), [[1.0, 0.5]])
