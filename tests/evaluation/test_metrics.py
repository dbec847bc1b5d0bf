import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.evaluation.metrics import ExplainedVariance, active_units

WINDOWS = np.random.default_rng(0).normal(size=(300, 6, 2))


def explained(windows: NDArray[np.float64], reconstruction: NDArray[np.float64]) -> float:
    measure = ExplainedVariance()
    for part in np.array_split(np.arange(len(windows)), 4):
        measure.add(windows[part], reconstruction[part])
    return measure.value


def test_the_mean_window_explains_nothing_and_the_window_itself_everything() -> None:
    mean = np.broadcast_to(WINDOWS.mean(axis=0), WINDOWS.shape)
    assert explained(WINDOWS, mean) == pytest.approx(0, abs=1e-12)
    assert explained(WINDOWS, WINDOWS) == 1
    assert explained(WINDOWS, np.zeros_like(WINDOWS)) < 0


def test_missing_values_do_not_count() -> None:
    windows = WINDOWS.copy()
    windows[::3, 2] = np.nan
    halfway = (WINDOWS + np.nanmean(windows, axis=0)) / 2
    assert explained(windows, halfway) == pytest.approx(0.75)


def test_windows_that_do_not_vary_have_no_share() -> None:
    same = np.ones((5, 3, 1))
    assert np.isnan(explained(same, same))


def test_a_unit_is_active_above_a_hundredth_of_its_prior() -> None:
    assert active_units(np.array([0.0, 0.009, 0.011, 1.0])) == 2
