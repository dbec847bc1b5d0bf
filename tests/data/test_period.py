import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.data.period import period


def wave(
    cycle: float, points: int = 3000, noise: float = 0.3, seed: int = 0
) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    return np.sin(2 * np.pi * np.arange(points) / cycle) + random.normal(0, noise, points)


@pytest.mark.parametrize("cycle", [10, 24, 100])
def test_the_period_of_a_noisy_wave_is_found(cycle: int) -> None:
    assert period(wave(cycle)) == pytest.approx(cycle, rel=0.02)


def test_level_and_scale_do_not_matter() -> None:
    values = wave(24)
    assert period(values) == period(1000 - 0.001 * values) == 24


def test_gaps_do_not_hide_it() -> None:
    values = wave(24)
    values[np.random.default_rng(1).random(len(values)) < 0.3] = np.nan
    assert period(values) == 24


def test_only_the_beginning_is_looked_at() -> None:
    values = wave(24, 20_500)
    values[20_000:] = 1000
    assert period(values) == 24


# Of TSB_AD.utils.slidingWindows.find_length_rank(values, rank=1) in the package TSB-AD 1.5.
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (wave(45.5), 45),
        (wave(17, 120), 17),
        (wave(12).round(), 12),
        (wave(302.6, 9000, 0.01), 302),
        (wave(60, 30_000, 2), 59),
        (wave(5), 10),
        (wave(4.05, 150, 0.01), 125),
        (np.r_[wave(24, 11_000), 3 * wave(50, 9000)], 49),
        (wave(80, 60), 14),
        (wave(310), 7),
        (wave(350, noise=0), 125),
    ],
)
def test_periods_are_those_of_the_reference(values: NDArray[np.float64], expected: int) -> None:
    assert period(values) == expected


@pytest.mark.parametrize(
    "values",
    [np.full(500, 0.1), np.arange(500.0), np.full(500, np.nan), np.ones(1), wave(350, noise=0.0)],
    ids=["constant", "rising", "missing", "single", "slow"],
)
def test_without_a_peak_in_bounds_there_is_a_usual_length(values: NDArray[np.float64]) -> None:
    assert period(values) == 125
