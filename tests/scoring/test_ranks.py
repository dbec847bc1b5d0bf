import numpy as np
import pytest
from scipy import stats

from rvae.scoring.ranks import Ranks, blocks_needed, quantile_of, quantile_text
from tests.support.chance import CHANCE


def alone(values: np.ndarray) -> Ranks:
    """Every value is a block."""
    return Ranks.fit(np.asarray(values, dtype=np.float64), np.arange(len(values)))


def test_a_small_case_by_hand() -> None:
    # Two blocks of two and one values: weights 1/4, 1/4, 1/2.
    ranks = Ranks.fit(np.array([3.0, 1.0, 2.0]), np.array([0, 0, 1]))
    np.testing.assert_array_equal(ranks.values, [1, 2, 3])
    np.testing.assert_allclose(ranks.weights, [0.25, 0.5, 0.25])
    assert ranks.smallest == 1 / 3
    # (2 x share + 1) / 3
    expected = [1, 1, 5 / 6, 0.5, 1 / 3, np.nan]
    np.testing.assert_allclose(ranks.tail_probability([0, 1, 2, 3, 4, np.nan]), expected)
    assert ranks.tail_probability_above(2) == pytest.approx(0.5)
    assert ranks.threshold(1 / 3) == 3
    assert ranks.threshold(0.5) == 2
    assert ranks.threshold(0.49) == 3


def test_blocks_of_one_value_are_the_usual_conformal_ranks() -> None:
    values = np.random.default_rng(0).normal(size=99)
    ranks = alone(values)
    probes = np.random.default_rng(1).normal(size=50)
    counted = [(1 + (values >= probe).sum()) / 100 for probe in probes]
    np.testing.assert_allclose(ranks.tail_probability(probes), counted)
    for rank in (1, 50, 90, 99):
        assert ranks.threshold((100 - rank) / 100) == np.sort(values)[rank - 1]


@pytest.mark.parametrize("probability", [0.5, 0.1, 0.05, 0.02, 0.01])
def test_a_threshold_flags_exactly_what_is_rare_enough(probability: float) -> None:
    random = np.random.default_rng(2)
    values = random.normal(size=700).round(2)  # with ties
    ranks = Ranks.fit(values, np.repeat(np.arange(100), 7))
    probes = np.concatenate([values, random.normal(size=2000) * 2])
    flagged = probes > ranks.threshold(probability)
    np.testing.assert_array_equal(flagged, ranks.tail_probability(probes) <= probability + 1e-9)


@pytest.mark.parametrize("draw", ["standard_normal", "standard_cauchy", "standard_exponential"])
def test_tail_probabilities_are_uniform_for_blocks_of_one(draw: str) -> None:
    """Of n values exactly k = level (n + 1) of the ranks that a new one may have are so high."""
    random = np.random.default_rng(1)
    levels, count, fresh = np.array([0.01, 0.1, 0.5]), 999, 2000
    shares = []
    for _ in range(400):
        tails = alone(getattr(random, draw)(count)).tail_probability(getattr(random, draw)(fresh))
        shares.append([(tails <= level + 1e-12).mean() for level in levels])
    # Each share is a fresh draw of a beta-binomial distribution with this mean and spread.
    ranks = levels * (count + 1)
    spread = stats.betabinom(fresh, ranks, count + 1 - ranks).std() / fresh
    error = stats.norm.isf(CHANCE / 2) * spread / np.sqrt(len(shares))
    assert error[0] < 0.0012
    np.testing.assert_array_less(abs(np.mean(shares, axis=0) - levels), error)


@pytest.mark.parametrize("blocks", [9, 19, 99])
def test_the_promise_is_kept_where_a_block_has_one_thing_in_common(blocks: int) -> None:
    """The values of a block have an offset in common, and blocks have different sizes."""
    random = np.random.default_rng(3)
    level = 0.1
    shares, naive = [], []
    for _ in range(600):
        block = np.repeat(np.arange(blocks), random.integers(1, 30, blocks))
        values = (random.normal(size=blocks) * 3)[block] + random.normal(size=len(block))
        fresh = random.normal() * 3 + random.normal(size=200)
        shares.append((Ranks.fit(values, block).tail_probability(fresh) <= level + 1e-9).mean())
        naive.append((alone(values).tail_probability(fresh) <= level + 1e-9).mean())
    error = np.std(shares) / np.sqrt(len(shares))
    assert np.mean(shares) < level + 3 * error
    # As if all values were independent: this is what the blocks are for.
    if blocks == 9:
        assert np.mean(naive) > level + 3 * error


def test_numbers_of_blocks_that_are_needed() -> None:
    assert [blocks_needed(p) for p in (0.5, 0.1, 0.05, 0.02, 0.01)] == [1, 9, 19, 49, 99]
    assert blocks_needed(1 - 0.98) == 49 and blocks_needed(1 - 0.99) == 99
    for count in (1, 9, 49, 99):
        assert blocks_needed(alone(np.arange(count)).smallest) == count


def test_many_equal_values_are_one_rank() -> None:
    ranks = alone(np.zeros(10))
    assert ranks.tail_probability(0.0) == pytest.approx(1)
    assert ranks.tail_probability(1e-9) == pytest.approx(ranks.smallest)
    assert ranks.threshold(0.5) == 0


@pytest.mark.parametrize(
    ("quantile", "told"),
    [
        (0.98, "0.98"),
        (6 / 7, "0.857142"),
        (2 / 3, "0.666666"),
        (0.5, "0.5"),
        (0.9999996, "0.999999"),
    ],
)
def test_a_quantile_is_told_rounded_down(quantile: float, told: str) -> None:
    assert quantile_text(quantile) == told


@pytest.mark.parametrize("blocks", [4, 6, 206])
def test_tail_probabilities_are_those_of_quantiles_to_the_bit(blocks: int) -> None:
    ranks = alone(np.arange(blocks))
    assert ranks.tail_probability(blocks) == 1 - quantile_of(ranks.smallest)
    assert ranks.tail_probability(blocks) == pytest.approx(ranks.smallest, abs=1e-12)


@pytest.mark.parametrize("count", [1, 5, 99])
def test_the_smallest_probability_has_the_highest_value_as_threshold(count: int) -> None:
    ranks = alone(np.arange(count))
    below = ranks.smallest - 2e-12  # by rounding of a quantile
    assert ranks.threshold(ranks.smallest) == ranks.threshold(below) == count - 1
