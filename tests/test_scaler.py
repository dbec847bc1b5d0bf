import numpy as np
import pytest

from rvae.data.scaler import Scaler
from rvae.data.series import Series
from rvae.errors import FieldError


def as_series(values):
    return Series("s", np.asarray(values, dtype=float), np.zeros(len(values), dtype=bool))


def test_scaled_values_have_zero_mean_and_unit_spread():
    random = np.random.default_rng(0)
    values = random.normal([5, -3e9], [2, 1e3], (500, 2))
    values[::7, 0] = np.nan
    scaler = Scaler.fit([as_series(values[:200]), as_series(values[200:])], ("a", "b"))
    scaled = scaler.transform(values)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(np.nanmean(scaled, 0), 0, atol=1e-6)
    np.testing.assert_allclose(np.nanstd(scaled, 0), 1, atol=1e-6)
    # float32 resolves 1e-7 of the spread, not of a level of 3e9
    np.testing.assert_allclose(scaler.inverse(scaled), values, rtol=0, atol=1e-3)


@pytest.mark.parametrize("factor", [1e200, 1e-170])
def test_a_channel_out_of_range_is_named(factor):
    values = np.stack([np.arange(4.0), np.arange(4.0) * factor], axis=1)
    with pytest.raises(FieldError) as caught:
        Scaler.fit([as_series(values)], ("fine", "far"))
    assert caught.value.field == "far"


@pytest.mark.parametrize("column", [[np.nan] * 4, [2.0] * 4, [2.0, np.nan, 2.0, np.nan]])
def test_a_channel_without_variation_is_named(column):
    values = np.stack([np.arange(4), column], axis=1)
    with pytest.raises(FieldError) as caught:
        Scaler.fit([as_series(values)], ("fine", "flat"))
    assert caught.value.field == "flat"
