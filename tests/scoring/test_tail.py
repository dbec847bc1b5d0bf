from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from rvae.errors import FieldError
from rvae.scoring.calibration import Calibration
from rvae.scoring.tail import Tail, generalized_pareto

KINDS = {
    "exponential": stats.expon(),
    "normal": stats.norm(),
    "gamma": stats.gamma(3),
    "heavy": stats.t(2),
}


def calibrations(kind: str, count: int, times: int, seed: int = 0) -> Iterator[Calibration]:
    random = np.random.default_rng(seed)
    for scores in KINDS[kind].rvs((times, count), random_state=random):
        yield Calibration.fit(scores, 0.95, count)


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.5, 1.0])
def test_the_parameters_are_those_of_the_distribution(shape: float) -> None:
    random = np.random.default_rng(0)
    samples = np.sort(stats.genpareto(shape, scale=3).rvs((300, 100), random_state=random))
    found = np.array([generalized_pareto(sample) for sample in samples])
    # The spread of an efficient estimate (Smith 1985) is (1 + shape) / √100 for the shape; the
    # weak prior draws extreme shapes a little towards 0.
    assert found[:, 0].mean() == pytest.approx(shape, abs=0.1)
    assert found[:, 0].std() < 1.5 * (1 + shape) / 10 + 0.05
    assert found[:, 1].mean() == pytest.approx(3, rel=0.1)


def test_the_parameters_are_about_the_most_likely_ones() -> None:
    sample = np.sort(stats.genpareto(0.3, scale=2).rvs(5000, random_state=1))
    shape, _, scale = stats.genpareto.fit(sample, floc=0)
    assert generalized_pareto(sample) == pytest.approx((shape, scale), abs=0.02)


@pytest.mark.parametrize("count", [200, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_thresholds_beyond_the_ranks_keep_their_rate_within_a_factor(kind: str, count: int) -> None:
    """What the calibration's docstring says of them."""
    for part, factor in ((5, 2), (20, 5)):
        alpha = 1 / (part * (count + 1))
        rates = [
            KINDS[kind].sf(calibration.threshold(1 - alpha)) / alpha
            for calibration in calibrations(kind, count, 500)
        ]
        error = np.std(rates) / np.sqrt(len(rates))
        assert np.mean(rates) < factor + 4 * error
        if kind in ("exponential", "gamma"):  # where it should be right
            assert 0.5 < np.mean(rates) < 1.5


@pytest.mark.parametrize("kind", ["exponential", "gamma"])
def test_tail_probabilities_beyond_the_ranks_are_right_within_a_factor(kind: str) -> None:
    score = KINDS[kind].isf(1e-4)  # a tenth of what ranks can tell
    said = [c.tail_probability(score) for c in calibrations(kind, 1000, 300)]
    assert 1e-4 < np.median(said) < 3e-4
    assert np.quantile(said, 0.05) > 1e-4 / 10 and np.quantile(said, 0.95) < 1e-4 * 21


@pytest.mark.parametrize("kind", KINDS)
def test_tail_probabilities_go_on_without_a_jump_and_never_end(kind: str) -> None:
    (calibration,) = calibrations(kind, 400, 1)
    highest = calibration.scores[-1]
    scores = highest + np.concatenate([[1e-9], np.geomspace(1e-3, 1e9, 500)])
    said = calibration.tail_probability(scores)
    assert said[0] == pytest.approx(1 / 401)
    assert (np.diff(said) <= 0).all() and (said > 0).all()
    assert (np.diff(said[said > 1e-300]) < 0).all()
    severities = calibration.severity(scores)
    assert (np.diff(severities) > 0).all() and np.isfinite(severities).all()
    np.testing.assert_allclose(severities[said > 1e-300], -np.log10(said[said > 1e-300]))


@pytest.mark.parametrize("kind", KINDS)
def test_thresholds_and_tail_probabilities_agree_beyond_the_ranks(kind: str) -> None:
    (calibration,) = calibrations(kind, 400, 1)
    quantiles = 1 - np.geomspace(0.1, 1e-6, 50)
    thresholds = [calibration.threshold(quantile) for quantile in quantiles]
    assert (np.diff(thresholds) >= 0).all()
    beyond = quantiles > 400 / 401
    np.testing.assert_allclose(
        calibration.tail_probability(np.array(thresholds)[beyond]), 1 - quantiles[beyond], rtol=1e-6
    )
    with pytest.raises(FieldError, match=r"at most 0\.999999") as caught:
        calibration.threshold(1 - 1e-7)
    assert caught.value.field == "quantile"


def test_what_ranks_tell_is_left_as_it_was() -> None:
    (calibration,) = calibrations("heavy", 400, 1)
    for rank in (1, 200, 399, 400):
        assert calibration.threshold(rank / 401) == calibration.scores[rank - 1]
        score = calibration.scores[rank - 1]
        assert calibration.tail_probability(score) == (402 - rank) / 401


@pytest.mark.parametrize(
    "scores",
    [
        np.arange(199.0),
        np.zeros(1000),
        np.repeat([0.0, 1.0], [990, 10]),
        np.r_[np.zeros(985), np.arange(15.0)],
    ],
    ids=["few", "constant", "a few are higher", "most are tied"],
)
def test_scores_without_a_tail_stay_with_their_ranks(scores: NDArray[np.float64]) -> None:
    assert Tail.fit(np.sort(scores)) is None
    calibration = Calibration.fit(scores, 0.9, len(scores))
    assert calibration.tail_probability(1e6) == 1 / (len(scores) + 1)
    assert calibration.largest_quantile == len(scores) / (len(scores) + 1)


@pytest.mark.parametrize(
    "scores",
    [
        np.repeat([0.0, 1.0], [900, 100]),
        np.repeat(np.arange(10.0), 100),
        np.repeat([-5.0, -4.0, -1.0], [700, 230, 70]),
        -np.arange(1.0, 1001.0),
        np.r_[np.zeros(950), np.geomspace(1e-12, 1e12, 50)],
    ],
    ids=["two values", "ties", "ties below zero", "below zero", "all orders"],
)
def test_odd_scores_have_a_sound_tail(scores: NDArray[np.float64]) -> None:
    random = np.random.default_rng(0)
    calibration = Calibration.fit(random.permutation(np.append(scores, np.nan)), 0.9, 1000)
    probes = np.sort(np.r_[scores, scores.max() + np.geomspace(1e-6, 1e15, 99)])
    said = calibration.tail_probability(probes)
    assert (np.diff(said) <= 0).all() and (said > 0).all() and (said <= 1).all()
    assert np.isfinite(calibration.severity(probes)).all()
    assert scores.max() < calibration.threshold(0.99999) < np.inf


def test_a_score_that_is_missing_has_no_severity() -> None:
    (calibration,) = calibrations("normal", 400, 1)
    said = calibration.severity([np.nan, -1e9, calibration.scores[-1]])
    np.testing.assert_allclose(said, [np.nan, 0, np.log10(401 / 2)])
    assert not np.signbit(said[1])


def test_contamination_left_out_gives_the_threshold_of_clean_scores() -> None:
    random = np.random.default_rng(0)
    clean, clean_tails, raw, kept, tails = [], [], [], [], []
    for _ in range(100):
        scores = random.standard_exponential(1000)
        calibration = Calibration.fit(scores, 0.98, 1000)
        clean.append(calibration.threshold())
        clean_tails.append(calibration.threshold(0.9999))
        scores[:30] = random.uniform(20, 40, 30)
        raw.append(Calibration.fit(scores, 0.98, 1000).threshold())
        calibration = Calibration.fit(scores, 0.98, 1000, contamination=0.03)
        kept.append(calibration.threshold())
        tails.append(calibration.threshold(0.9999))
    assert np.mean(kept) == pytest.approx(np.mean(clean), rel=0.03)
    assert np.mean(raw) > 5 * np.mean(clean)
    assert np.mean(tails) == pytest.approx(np.mean(clean_tails), rel=0.1)
    assert (len(calibration.scores), calibration.independent) == (970, 970)
    assert calibration.contamination == 0.03


def test_what_is_left_of_contaminated_scores_must_tell_the_quantile() -> None:
    with pytest.raises(FieldError, match="there are 98") as caught:
        Calibration.fit(np.arange(101.0), 0.99, 101, contamination=0.03)
    assert caught.value.field == "training.quantile"
    for wrong in (-0.1, 0.5, np.nan):
        with pytest.raises(FieldError) as caught:
            Calibration.fit(np.arange(101.0), 0.9, 101, contamination=wrong)
        assert caught.value.field == "scoring.contamination"
