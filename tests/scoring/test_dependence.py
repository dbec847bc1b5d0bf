import numpy as np
import pytest
from scipy.signal import lfilter

from rvae.scoring.dependence import autocorrelation_time


def autoregressive(coefficient: float, count: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=count + 2000)
    return np.asarray(lfilter([1], [1, -coefficient], noise)[2000:])


@pytest.mark.parametrize("coefficient", [0.0, 0.5, 0.9, 0.97])
def test_the_time_of_an_autoregressive_series(coefficient: float) -> None:
    expected = (1 + coefficient) / (1 - coefficient)
    found = autocorrelation_time([[autoregressive(coefficient, 100_000)]])
    # Ranks are a little less correlated than the values.
    assert 0.85 * expected < found < 1.15 * expected + 0.1


def test_neither_units_nor_heavy_tails_matter() -> None:
    series = autoregressive(0.9, 20_000)
    assert autocorrelation_time([[series]]) == autocorrelation_time([[np.exp(3 * series)]])


def test_means_over_windows_depend_on_each_other_for_as_long_as_these_are() -> None:
    noise = np.random.default_rng(1).normal(size=50_000) ** 2
    means = np.convolve(noise, np.ones(40) / 40, "valid")
    assert 35 < autocorrelation_time([[means]]) < 47


def test_bursts_of_high_scores_count_although_the_ranks_hardly_depend() -> None:
    random = np.random.default_rng(2)
    burst = np.repeat(random.random(2000) < 0.04, 50)
    scores = random.normal(size=100_000) + 8 * burst
    assert autocorrelation_time([[scores]]) > 15
    assert autocorrelation_time([[random.permutation(scores)]]) < 2


def test_stretches_and_parts_are_not_joined() -> None:
    """A step between parts is no dependence, and neighbours of stretches are no neighbours."""
    random = np.random.default_rng(3)
    training, held_out = random.normal(size=5000), random.normal(size=5000) + 100
    assert autocorrelation_time([[training], [held_out]]) < 1.5
    assert autocorrelation_time([[np.concatenate([training, held_out])]]) > 100
    single = [np.array([score]) for score in autoregressive(0.9, 500)]
    assert autocorrelation_time([single]) == 1


@pytest.mark.parametrize("scores", [[1.0], [2.0, 2.0, 2.0], [0.0] * 1000, [1.0, 2.0]])
def test_too_little_to_see_anything(scores: list[float]) -> None:
    assert autocorrelation_time([[np.array(scores)]]) >= 1
    assert np.isfinite(autocorrelation_time([[np.array(scores)], []]))


def test_from_few_scores_it_is_rarely_far_too_small() -> None:
    """Where it is, more is promised than is kept."""
    found = [autocorrelation_time([[autoregressive(0.9, 400, seed)]]) for seed in range(100)]
    assert np.mean(np.array(found) < 0.6 * 19) < 0.2
