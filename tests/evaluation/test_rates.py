import numpy as np
import pytest
from scipy.stats import binomtest

from rvae.evaluation.rates import Rate

WINDOW = 32


def flags(random: np.random.Generator, blocks: int, threshold: float) -> np.ndarray:
    """Flags of windows of noise that overlap, in blocks of a window's length (K, T)."""
    squares = np.cumsum(random.normal(size=(blocks + 1) * WINDOW) ** 2)
    means = (squares[WINDOW:] - squares[:-WINDOW]) / WINDOW
    return (means > threshold).reshape(blocks, WINDOW)


@pytest.mark.parametrize("hits", [0, 1, 7, 20])
def test_independent_blocks_of_one_trial_have_the_exact_interval(hits: int) -> None:
    found = Rate.measure(0.1, (np.arange(20) < hits).astype(int), np.ones(20, int), 30)
    exact = binomtest(hits, 20).proportion_ci()
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=0.03)
    assert found.measured == hits / 20


@pytest.mark.parametrize(("quantile", "blocks"), [(0.9, 30), (0.9, 300), (0.98, 100)])
def test_the_interval_covers_the_rate_of_windows_that_overlap(quantile: float, blocks: int) -> None:
    random = np.random.default_rng(0)
    many = [random.chisquare(WINDOW, size=200_000) / WINDOW for _ in range(3)]
    threshold = float(np.quantile(np.concatenate(many), quantile))
    sizes = np.full(blocks, WINDOW)
    found = [
        Rate.measure(0.1, flags(random, blocks, threshold).sum(axis=1), sizes, 30)
        for _ in range(300)
    ]
    covered = np.mean([rate.low <= 1 - quantile <= rate.high for rate in found])
    assert covered > 0.92
    # As if all windows were independent, it would be a fraction as wide, and cover rarely.
    naive = [binomtest(int(r.measured * blocks * WINDOW), blocks * WINDOW) for r in found]
    ends = [one.proportion_ci() for one in naive]
    assert np.mean([one.low <= 1 - quantile <= one.high for one in ends]) < 0.7


def test_a_promise_is_rarely_called_broken_by_chance() -> None:
    """Over calibrations and measurements that are as they should be."""
    random = np.random.default_rng(1)
    broken = 0
    for _ in range(400):
        calibration, fresh = np.sort(random.normal(size=19)), random.normal(size=40)
        hits = (fresh > calibration[-1]).astype(int)
        rate = Rate.measure(0.05, hits, np.ones(40, int), 19)
        broken += rate.verdict == "broken"
    assert broken / 400 < 0.05
    drifted = Rate.measure(0.05, np.ones(40, int), np.ones(40, int), 19)
    assert drifted.verdict == "broken"


def test_a_promise_is_kept_below_it_and_may_be_exceeded_by_chance() -> None:
    few = Rate.measure(0.1, np.array([0, 1, 0, 0]), np.full(4, 10), 9)
    assert few.verdict == "kept" and few.measured == 0.025
    some = Rate.measure(0.1, np.array([0, 6, 0, 0]), np.full(4, 10), 9)
    assert some.verdict == "possible" and some.most >= 0.15


def test_one_block_says_little() -> None:
    found = Rate.measure(0.1, np.array([5]), np.array([100]), 9)
    assert found.low < 0.001 and found.high > 0.95


def test_rates_per_step() -> None:
    found = Rate.measure(0.1, np.array([1, 0]), np.array([2.5, 2.5]), 9)
    assert found.measured == pytest.approx(0.2)
    per_step = found.per(10)
    assert (per_step.promised, per_step.measured) == pytest.approx((0.01, 0.02))
    assert (per_step.low, per_step.high) == pytest.approx((found.low / 10, found.high / 10))
