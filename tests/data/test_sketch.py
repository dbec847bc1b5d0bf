import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.data.sketch import ChannelSketch, sketch, stability_index


def index_of(known: ChannelSketch, values: NDArray[np.float64]) -> float:
    return stability_index(known.shares, known.counts(values))


def test_each_bin_of_numbers_holds_a_tenth() -> None:
    values = np.random.default_rng(0).normal(size=50_000)
    found = ChannelSketch.fit(values)
    np.testing.assert_allclose(found.edges, np.quantile(values, np.arange(1, 10) / 10), atol=1e-3)
    np.testing.assert_allclose(found.shares, 0.1, atol=1e-3)
    assert found.counts(np.array([-99, np.nan, found.edges[0], 99])).tolist() == [2, *[0] * 8, 1]


def test_missing_values_have_no_part_in_it() -> None:
    values = np.random.default_rng(1).normal(size=1000)
    holes = np.insert(values, [3, 70, 500], np.nan)
    assert ChannelSketch.fit(holes) == ChannelSketch.fit(values)


@pytest.mark.parametrize(
    ("values", "shares"),
    [
        ([0.0] * 60 + [1.0] * 25 + [7.0] * 15, [0.6, 0.25, 0.15]),
        ([5.0] * 100, [0, 1, 0]),  # another value is in another bin
        ([np.nan] * 3, [0]),
    ],
)
def test_values_that_repeat_share_a_bin(values: list[float], shares: list[float]) -> None:
    np.testing.assert_allclose(ChannelSketch.fit(np.array(values)).shares, shares)


def test_every_category_has_a_bin_and_so_have_the_unknown_ones() -> None:
    values = np.array([1.0, 1, 1, 3, 3, np.nan, 0, 3])
    found = ChannelSketch.fit(values, categories=3)
    np.testing.assert_allclose(found.shares, np.array([1, 3, 0, 3]) / 7)


def test_the_sketch_of_series_is_that_of_all_their_rows_or_of_some_by_chance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A channel that repeats every ten steps keeps its shares."""
    values = np.stack([np.arange(40_000) % 10 + 0.5, np.arange(40_000) % 2 + 1], axis=1)
    parts = [Series(values[:15_000]), Series(values[15_000:])]
    whole = sketch(parts, (0, 2))
    assert whole == (ChannelSketch.fit(values[:, 0]), ChannelSketch.fit(values[:, 1], 2))
    monkeypatch.setattr("rvae.data.sketch.MOST_ROWS", 4000)
    some = sketch(parts, (0, 2))
    assert some != whole
    every = some[0].counts(values[:, 0]) / len(values)
    np.testing.assert_allclose(some[0].shares, every, atol=0.03)
    np.testing.assert_allclose(some[1].shares, [0, 0.5, 0.5], atol=0.03)


def test_the_index_of_two_shares_is_the_published_sum() -> None:
    expected, found = np.array([0.2, 0.3, 0.5]), np.array([0.4, 0.3, 0.3])
    index = 0.2 * np.log(0.4 / 0.2) + 0 + -0.2 * np.log(0.3 / 0.5)
    assert stability_index(expected, found) == pytest.approx(index)
    assert stability_index(100 * found, expected) == pytest.approx(index)


def test_the_index_of_the_same_distribution_is_that_of_chance() -> None:
    random = np.random.default_rng(2)
    known = ChannelSketch.fit(random.normal(size=100_000))
    found = [index_of(known, random.normal(size=1000)) for _ in range(200)]
    assert np.mean(found) == pytest.approx(9 / 1000, rel=0.15)


@pytest.mark.parametrize(
    ("shift", "spread", "low", "high"), [(0.3, 1, 0.07, 0.12), (1, 1, 0.7, 1.2), (0, 2, 0.4, 0.9)]
)
def test_the_index_grows_with_a_change(
    shift: float, spread: float, low: float, high: float
) -> None:
    """Two normal distributions a shift d apart have the divergence d², a little less in bins."""
    random = np.random.default_rng(3)
    known = ChannelSketch.fit(random.normal(size=100_000))
    assert low < index_of(known, random.normal(shift, spread, 100_000)) < high


def test_what_was_never_seen_is_a_change_but_no_infinite_one() -> None:
    known = ChannelSketch.fit(np.array([1.0] * 50 + [2.0] * 50), categories=2)
    assert index_of(known, np.array([1.0] * 47 + [2.0] * 48 + [0.0] * 5)) > 0.25
    assert index_of(known, np.zeros(100)) < 25
