from collections.abc import Callable

import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.scoring.blocks import Blocks, Stretch
from rvae.scoring.calibration import Calibration


def calibration(
    scores: np.ndarray | list[float],
    quantile: float,
    window: int = 1,
    events_per_step: float | None = None,
    contamination: float = 0.0,
) -> Calibration:
    """Calibration on the windows of a series at stride 1."""
    values = np.asarray(scores, dtype=np.float64)
    blocks = Blocks.fit([Stretch(values, np.arange(len(values)))], window, 1, 1.0)
    return Calibration.fit(blocks, quantile, events_per_step, contamination)


def test_small_cases_by_hand() -> None:
    found = calibration([3.0, 1.0, np.nan, 2.0, 4.0], 0.8)
    assert found.threshold() == 4.0 and not found.lowered
    assert found.threshold(0.4) == 2.0
    np.testing.assert_allclose(
        found.tail_probability([5, 4, 3.5, 0, np.nan]), [0.2, 0.4, 0.4, 1, np.nan]
    )
    above = found.above_calibration([5, 4, 0, np.nan])
    np.testing.assert_array_equal(above, [True, False, False, False])


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.95, 0.98])
@pytest.mark.parametrize("window", [1, 7])
def test_flag_and_tail_probability_agree(quantile: float, window: int) -> None:
    random = np.random.default_rng(2)
    found = calibration(random.normal(size=700), quantile, window)
    scores = np.concatenate([found.scores, random.normal(size=1000)])
    flagged = scores > found.threshold()
    rare = found.tail_probability(scores) <= 1 - found.quantile
    np.testing.assert_array_equal(flagged, rare)
    assert 0 < flagged.sum() < len(scores)
    np.testing.assert_array_equal(flagged, found.severity(scores) > 1)


@pytest.mark.parametrize("blocks", [1, 3, 9, 48])
def test_a_quantile_is_lowered_to_what_the_blocks_show(blocks: int) -> None:
    found = calibration(np.arange(10.0 * blocks), 0.98, window=10)
    assert found.lowered and found.quantile == found.largest_quantile
    assert found.quantile == pytest.approx(blocks / (blocks + 1))
    assert found.threshold() == 10 * blocks - 1
    scores = np.array([0.0, 10 * blocks - 1, 10 * blocks])
    np.testing.assert_array_equal(scores > found.threshold(), [False, False, True])
    assert found.tail_probability(1e9) == pytest.approx(1 - found.quantile)
    with pytest.raises(FieldError, match=f"{blocks} independent blocks") as caught:
        found.threshold(0.98)
    assert caught.value.field == "quantile"


@pytest.mark.parametrize("blocks", [*range(1, 30), 206])
def test_flag_and_tail_probability_agree_to_the_bit(blocks: int) -> None:
    """As a client compares them, for every quantile that the blocks have, and as it is told."""
    found = calibration(np.arange(1.0 * blocks), 0.999)
    scores = np.arange(blocks) + 0.5
    tails = found.tail_probability(scores)
    for threshold in found.scores:
        quantile = found.quantile_of(threshold)
        flagged = scores > found.threshold(quantile)
        np.testing.assert_array_equal(flagged, tails <= 1 - quantile)
    with pytest.raises(FieldError, match="at most") as caught:
        found.threshold(0.9999)
    told = float(caught.value.message.split("at most ")[1].split(",")[0])
    assert found.threshold(told) == found.threshold()


def test_enough_blocks_lower_nothing() -> None:
    assert not calibration(np.arange(49.0), 0.98).lowered
    assert calibration(np.arange(48.0), 0.98).lowered


def test_nothing_is_rarer_than_the_blocks_show() -> None:
    """However many windows there are, and however high a score is."""
    found = calibration(np.random.default_rng(0).normal(size=5000), 0.9, window=250)
    assert found.blocks.count == 20
    probes = [found.scores[-1] + 1e-9, 1e300, np.inf]
    np.testing.assert_allclose(found.tail_probability(probes), 1 / 21)
    assert found.above_calibration(probes).all()


def test_severity_rises_without_end_and_is_one_at_the_threshold() -> None:
    found = calibration(np.random.default_rng(0).normal(size=500), 0.95)
    assert found.severity(found.threshold()) == pytest.approx(1)
    assert found.severity(np.median(found.scores[found.scores <= found.threshold()])) == 0
    scores = np.array([-5.0, 0, 1, 5, 6, 1e6])
    assert (np.diff(found.severity(scores)) > 0).all()
    assert np.isnan(found.severity(np.nan))
    constant = calibration(np.full(30, 2.0), 0.9)
    np.testing.assert_array_equal(constant.severity([1.0, 2.0, 4.0]), [-1, 0, 2])


def test_a_rate_of_events_is_a_threshold() -> None:
    random = np.random.default_rng(1)
    scores = random.normal(size=2000)
    found = calibration(scores, 0.5, window=10, events_per_step=1 / 500)
    peaks = np.sort(scores.reshape(200, 10).max(axis=1))
    # At most 10 / 500 of the segments: (200 share + 1) / 201, so that three peaks lie above.
    assert found.threshold() == peaks[-4]
    assert found.events_per_step(found.threshold()) == pytest.approx(4 / 201 / 10)
    assert found.events_per_step(found.threshold()) <= 1 / 500 and not found.lowered
    flagged = scores > found.threshold()
    rare = found.tail_probability(scores) <= 1 - found.quantile
    np.testing.assert_array_equal(flagged, rare)


def test_a_rate_of_events_is_raised_to_what_the_blocks_show() -> None:
    scores = np.random.default_rng(1).normal(size=2000)
    found = calibration(scores, 0.5, window=10, events_per_step=1 / 2011)
    assert found.lowered and found.threshold() == scores.max()
    assert found.fewest_events_per_step == pytest.approx(1 / 2010)
    assert found.events_per_step(found.threshold()) == pytest.approx(1 / 2010)
    assert not calibration(scores, 0.5, window=10, events_per_step=1 / 2010).lowered
    for rate in (1 / 2011, 0.0, -1.0):
        with pytest.raises(
            FieldError, match="at least 1 event per 2,010 steps, the limit of 200 ind"
        ) as caught:
            found.threshold_of_events(rate)
        assert caught.value.field == "alarms"


@pytest.mark.parametrize("share", [0.5, 0.9, -0.1, np.nan])
def test_no_more_than_half_may_be_contaminated(share: float) -> None:
    with pytest.raises(FieldError) as caught:
        calibration(np.arange(50.0), 0.9, contamination=share)
    assert caught.value.field == "scoring.contamination"


def test_contamination_is_left_out() -> None:
    """Scores of anomalies among the held-out ones do not raise the threshold."""
    random = np.random.default_rng(4)
    clean, mixed, kept = [], [], []
    for _ in range(50):
        normal, anomalous = random.normal(size=970), random.normal(8, 1, size=30)
        scores = random.permutation(np.concatenate([normal, anomalous]))
        clean.append(calibration(normal, 0.98).threshold())
        mixed.append(calibration(scores, 0.98).threshold())
        kept.append(calibration(scores, 0.98, contamination=0.03).threshold())
    assert np.mean(mixed) > np.mean(clean) + 3
    assert np.mean(kept) == pytest.approx(np.mean(clean), abs=0.02)


def uniform(found: Calibration, scores: np.ndarray) -> None:
    """Tail probabilities of fresh normal scores keep their promise, and are not far below it."""
    for rate in (0.01, 0.05, 0.2, 0.5):
        # Twice: the promise is an average over calibrations, of which this is one.
        share = (found.tail_probability(scores) <= rate).mean()
        assert 0.5 * rate < share < 1.5 * rate, rate
    flagged = (scores > found.threshold()).mean()
    assert 0.025 < flagged < 0.075


@pytest.mark.parametrize(
    "change", [lambda s, _: s + 3, lambda s, _: np.expm1(s), lambda s, noise: s + 0.3 * noise]
)
def test_moved_scores_keep_their_tail_probabilities(
    change: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> None:
    """Held-out scores become those of another computation, by the scores of other windows."""
    random = np.random.default_rng(3)

    def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
        scores = random.gamma(3.0, size=count)
        return scores, change(scores, random.normal(size=count))

    before = calibration(random.gamma(3.0, size=2000), 0.95)
    old, new = drawn(4000)
    _, fresh = drawn(20_000)
    found = before.moved(old, new)
    uniform(found, fresh)
    assert (found.quantile, found.blocks.count) == (0.95, before.blocks.count)
    with pytest.raises(AssertionError):  # as they would be with the scores as they were
        uniform(before, change(random.gamma(3.0, size=20_000), 3 + random.normal(size=20_000)))


def test_each_score_is_moved_to_the_same_rank() -> None:
    before = calibration([10.0, 2.0, 5.0, -1.0, 30.0, 7.5], 0.5)
    old, new = np.array([10.0, 0.0, 5.0, np.nan]), np.array([22.0, 1.0, 11.0, np.nan])
    found = before.moved(old[[2, 0, 3, 1]], new[[2, 0, 3, 1]])
    # Between the known ones on a line; beyond them as far as the last one was moved.
    np.testing.assert_allclose(found.blocks.scores, [22, 5, 11, 0, 42, 16.5])
    np.testing.assert_array_equal(before.moved(old, old).blocks.scores, before.blocks.scores)


def test_equal_scores_are_moved_to_the_highest_of_their_ranks() -> None:
    """So that none of the windows that were told apart is flagged too often."""
    before = calibration([1.0, 1.0, 2.0, 3.0], 0.5)
    found = before.moved(np.array([1.0, 1.0, 1.0, 3.0]), np.array([1.0, 1.2, 1.4, 3.4]))
    np.testing.assert_allclose(found.blocks.scores, [1.4, 1.4, 2.4, 3.4])


def test_scores_without_end_are_neither_moved_nor_moved_by() -> None:
    before = calibration([1.0, 2.0, np.inf], 0.5)
    old, new = np.array([1.0, 2.0, 5.0, np.inf]), np.array([2.0, 3.0, np.inf, np.inf])
    np.testing.assert_array_equal(before.moved(old, new).blocks.scores, [2, 3, np.inf])


def test_a_threshold_is_moved_by_as_many_scores_as_show_its_quantile() -> None:
    before = calibration(np.arange(99.0), 0.95)
    scores = np.append(np.arange(19.0), [np.nan, np.inf])
    assert before.moved(scores, scores + 1).threshold() == before.threshold() + 1
    for few in (scores[1:], scores[-2:]):
        with pytest.raises(FieldError, match="only moved by 19 or more") as caught:
            before.moved(few, few)
        assert caught.value.field == "data"
