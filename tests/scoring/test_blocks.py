import numpy as np
import pytest
from scipy.signal import lfilter

from rvae.scoring.blocks import Blocks, Stretch, dependence_steps


def stretch(scores: np.ndarray | list[float], stride: int = 1, first: int = 0) -> Stretch:
    scores = np.asarray(scores, dtype=np.float64)
    return Stretch(scores, first + stride * np.arange(len(scores)))


def test_a_small_case_by_hand() -> None:
    blocks = Blocks.fit([stretch(np.arange(10.0)), stretch([7.0, 3.0])], 3, 1, time=1)
    # The tenth window is too few for a segment of its own, and a short series is one.
    assert blocks.segments.tolist() == [3, 3, 4, 2]
    assert blocks.blocks.tolist() == [1, 1, 1, 1] and blocks.count == 4 and blocks.steps == 3
    np.testing.assert_array_equal(blocks.peaks.values, [2, 5, 7, 9])
    assert blocks.windows.weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(blocks.windows.weights[[0, -1]], [1 / 12, 1 / 16])


def test_long_dependence_joins_segments() -> None:
    blocks = Blocks.fit([stretch(np.arange(40.0))], 4, 1, time=12.3)
    assert blocks.segments.tolist() == [4] * 10
    assert blocks.blocks.tolist() == [4, 3, 3] and blocks.count == 3
    assert len(blocks.peaks.values) == 10
    assert Blocks.fit([stretch(np.arange(40.0))], 4, 1, time=1e9).count == 1


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 5, 9])
def test_every_window_is_in_one_segment_of_about_a_windows_length(stride: int) -> None:
    one = stretch(np.arange(100.0), stride)
    blocks = Blocks.fit([one], 4, stride, time=1)
    assert blocks.segments.sum() == 100 and blocks.blocks.sum() == len(blocks.segments)
    assert blocks.steps == max(4, stride)
    ends = np.cumsum(blocks.segments)
    first = one.starts[np.concatenate([[0], ends[:-1]])]
    assert (np.diff(first) >= blocks.steps - stride + 1).all()
    if stride >= 4:  # windows that do not overlap
        assert blocks.count == 100


def test_windows_without_a_value_leave_no_trace() -> None:
    scores = np.arange(12.0)
    scores[4:9] = np.nan
    blocks = Blocks.fit([stretch(scores), stretch([np.nan] * 5)], 4, 1, time=1)
    assert blocks.scores.tolist() == [0, 1, 2, 3, 9, 10, 11]
    assert blocks.segments.tolist() == [4, 3]
    assert dependence_steps([[stretch(scores), stretch([np.nan])], []], 1) >= 1


def test_the_highest_are_left_out() -> None:
    blocks = Blocks.fit([stretch([1.0, 2, 9, 8, 3, 4])], 2, 1, time=1)
    kept = blocks.without_highest(1 / 3)
    assert kept.scores.tolist() == [1, 2, 3, 4]
    assert kept.segments.tolist() == [2, 2] and kept.blocks.tolist() == [1, 1]
    joined = Blocks.fit([stretch([1.0, 2, 9, 8, 3, 4])], 2, 1, time=4).without_highest(1 / 3)
    assert joined.blocks.tolist() == [2]
    np.testing.assert_array_equal(blocks.without_highest(0).scores, blocks.scores)


def test_halves_and_joined_are_each_others_opposite() -> None:
    blocks = Blocks.fit([stretch(np.random.default_rng(0).normal(size=103))], 5, 1, time=11)
    first, second = blocks.halves()
    assert (first.count, second.count) == (5, 5)
    again = first.joined(second)
    for name in ("scores", "segments", "blocks"):
        np.testing.assert_array_equal(getattr(again, name), getattr(blocks, name))


def test_without_order_the_number_of_blocks_is_kept() -> None:
    blocks = Blocks.without_order(np.arange(10.0), 3, 8)
    assert blocks.count == 3 and blocks.steps == 8
    np.testing.assert_array_equal(blocks.windows.values, np.arange(10.0))
    np.testing.assert_array_equal(blocks.peaks.values, [7, 8, 9])
    assert Blocks.without_order(np.arange(2.0), 5, 8).count == 2
    assert Blocks.without_order(np.arange(2.0), 0, 8).count == 1


def moving_scores(series: np.ndarray, window: int) -> np.ndarray:
    """The mean square of each window."""
    sums = np.cumsum(np.concatenate([[0.0], series**2]))
    return (sums[window:] - sums[:-window]) / window


def promises(
    coefficient: float, points: int, window: int, runs: int
) -> tuple[np.ndarray, np.ndarray]:
    """Share of flagged windows and number of events, each over its promise, of many models.

    The threshold is the highest held-out score: this is where a wrong number of blocks tells most.
    """
    random = np.random.default_rng(0)
    windows, events = [], []
    for _ in range(runs):
        noise = lfilter([1], [1, -coefficient], random.normal(size=10 * points + 1000))[1000:]
        scores = moving_scores(noise, window)
        fitted, held_out, fresh = (
            scores[: 4 * points],
            scores[5 * points : 6 * points],
            (scores[7 * points :]),
        )
        time = dependence_steps([[stretch(held_out)], [stretch(fitted)]], 1)
        blocks = Blocks.fit([stretch(held_out)], window, 1, time)
        threshold = blocks.windows.threshold(blocks.windows.smallest)
        flagged = np.flatnonzero(fresh > threshold)
        windows.append(len(flagged) / len(fresh) / blocks.windows.smallest)
        begun = (np.diff(flagged) > window).sum() + 1 if len(flagged) else 0
        events.append(begun / (len(fresh) / window) / blocks.peaks.smallest)
    return np.array(windows), np.array(events)


@pytest.mark.parametrize("coefficient", [0.0, 0.9, 0.98])
@pytest.mark.parametrize("points", [300, 2000])
def test_the_promise_is_kept_of_windows_that_overlap(coefficient: float, points: int) -> None:
    for kind in promises(coefficient, points, window=40, runs=200):
        assert kind.mean() < 1 + 3 * kind.std() / np.sqrt(len(kind))
        assert kind.mean() > 0.05  # it is no empty promise


def test_some_blocks_are_kept_as_they_are() -> None:
    whole = Blocks.fit([stretch(np.arange(200.0))], 4, 1, time=8)
    some = whole.at_most(80)
    assert whole.at_most(10_000).count == whole.count == 25
    assert some.count == 10 and some.segments.tolist() == [4] * 20
    assert some.scores[[0, 7, -1]].tolist() == [0, 7, 199]
    assert whole.at_most(1).count == 1


def test_a_dependence_that_is_longer_than_a_fold_joins_folds() -> None:
    """Separate series are blocks of their own, however short; folds of one series are not."""
    folds = [stretch(np.arange(4.0)) for _ in range(6)]
    assert Blocks.fit(folds, 4, 1, time=12.0).blocks.tolist() == [1] * 6
    joined = Blocks.fit(folds, 4, 1, time=12.0, successive=True)
    assert joined.blocks.tolist() == [3, 3] and joined.segments.tolist() == [4] * 6
