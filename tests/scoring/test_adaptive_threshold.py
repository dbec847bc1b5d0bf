import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.scoring.adaptive_threshold import AdaptiveThreshold, adaptive_thresholds
from rvae.scoring.calibration import Calibration

WINDOWS = 20_000
RANDOM = np.random.default_rng(0)
CALIBRATION = Calibration.fit(RANDOM.standard_exponential(1000), 0.95, 1000)
FEW = Calibration.fit(RANDOM.standard_exponential(99), 0.95, 99)
NOISE = RANDOM.standard_exponential(WINDOWS)
DRIFTS = {
    "shift": np.where(np.arange(WINDOWS) < 1000, 0.0, 3.0),
    "trend": np.linspace(0, 20, WINDOWS),
    "season": 2 * np.sin(np.arange(WINDOWS) / 300),
}


@pytest.mark.parametrize("calibration", [CALIBRATION, FEW], ids=["tail", "no tail"])
@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize("rate", [0.005, 0.1])
def test_the_rate_of_alarms_stays_however_scores_drift(
    drift: str, rate: float, calibration: Calibration
) -> None:
    scores = NOISE + DRIFTS[drift]
    rate_fixed = (scores > calibration.threshold()).mean()
    flagged = scores > adaptive_thresholds(calibration, scores, rate)
    assert rate_fixed > 0.09
    # The bound of the class's docstring; below it nothing is promised where scores fall.
    assert 0.04 < flagged.mean() <= 0.05 + (0.05 + rate) / (rate * WINDOWS)


def test_where_nothing_drifts_the_threshold_stays_about_where_it_was() -> None:
    thresholds = adaptive_thresholds(CALIBRATION, NOISE, 0.002)
    assert np.median(thresholds) == pytest.approx(CALIBRATION.threshold(), rel=0.1)
    assert (thresholds < NOISE).mean() == pytest.approx(0.05, abs=0.005)


@pytest.mark.parametrize("quantile", [None, 0.8, 0.999])
def test_without_a_rate_the_threshold_is_the_fixed_one(quantile: float | None) -> None:
    thresholds = adaptive_thresholds(CALIBRATION, NOISE[:100], 0.0, quantile)
    np.testing.assert_array_equal(thresholds, [CALIBRATION.threshold(quantile)] * 100)


def test_the_first_threshold_is_the_fixed_one_and_each_alarm_raises_it() -> None:
    scores = np.array([0.0, 1e9, 1e9, 0.0])
    thresholds = adaptive_thresholds(CALIBRATION, scores, 0.01, 0.9)
    levels = np.array([0.1, 0.101, 0.092, 0.083])  # Equation 2 by hand.
    assert thresholds[0] == CALIBRATION.threshold(0.9)
    expected = [CALIBRATION.threshold(1 - level) for level in levels]
    np.testing.assert_allclose(thresholds, expected, rtol=0.01)
    assert thresholds[1] < thresholds[2] < thresholds[3]


@pytest.mark.parametrize("drift", DRIFTS)
def test_anomalies_are_seen_while_scores_drift(drift: str) -> None:
    """The scores that thresholds come from drift along: otherwise most would be infinite."""
    scores = NOISE + DRIFTS[drift]
    scores[499::500] += 15
    thresholds = adaptive_thresholds(CALIBRATION, scores, 0.005)
    assert np.isinf(thresholds).mean() < 0.02
    assert (scores > thresholds)[499::500].mean() > 0.9


def test_a_threshold_depends_on_scores_before_it_alone() -> None:
    whole = adaptive_thresholds(CALIBRATION, NOISE[:200], 0.05)
    for cut in (0, 50, 199):
        changed = NOISE[:200].copy()
        changed[cut:] += 100
        thresholds = adaptive_thresholds(CALIBRATION, changed, 0.05)
        np.testing.assert_array_equal(thresholds[: cut + 1], whole[: cut + 1])
        if cut < 150:
            assert (thresholds != whole).any()


def test_a_missing_score_leaves_the_threshold_as_it_is() -> None:
    scores = np.insert(NOISE[:100], [3, 3, 60], np.nan)
    thresholds = adaptive_thresholds(CALIBRATION, scores, 0.05)
    whole = adaptive_thresholds(CALIBRATION, NOISE[:100], 0.05)
    np.testing.assert_array_equal(thresholds[~np.isnan(scores)], whole)
    assert thresholds[3] == thresholds[4] == thresholds[5]


def test_pieces_of_a_series_are_followed_like_the_whole() -> None:
    following = AdaptiveThreshold(CALIBRATION, 0.05)
    pieces = [following.follow(piece) for piece in np.split(NOISE[:300], [1, 100, 100, 250])]
    whole = adaptive_thresholds(CALIBRATION, NOISE[:300], 0.05)
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_a_long_anomaly_is_flagged_where_it_begins_and_then_learnt() -> None:
    scores = np.where(np.arange(400) < 100, 0.0, 1e6)
    thresholds = adaptive_thresholds(CALIBRATION, scores, 0.05)
    flagged = scores > thresholds
    assert flagged[100:103].all() and flagged[100:].mean() < 0.1
    blind = np.flatnonzero(np.isinf(thresholds))
    assert len(blind) > 0
    # No stretch of them is longer than 1 / (1 - quantile).
    assert max(map(len, np.split(blind, np.flatnonzero(np.diff(blind) > 1) + 1))) <= 20


def test_calm_is_no_anomaly_and_is_not_remembered_for_long() -> None:
    scores = np.r_[np.linspace(-1.0, -2.0, 5000), np.full(30, 1e6)]
    thresholds = adaptive_thresholds(CALIBRATION, scores, 0.1)
    assert not (scores > thresholds)[:5000].any()
    # From the highest level, 0.999, it takes eleven alarms to bring it to none.
    assert np.isinf(thresholds[5011:]).any()


@pytest.mark.parametrize("rate", [-0.01, 0.11, np.nan])
def test_a_rate_out_of_bounds_is_refused(rate: float) -> None:
    with pytest.raises(FieldError) as caught:
        adaptive_thresholds(CALIBRATION, NOISE, rate)
    assert caught.value.field == "adapt"


def test_a_quantile_that_cannot_be_told_is_refused() -> None:
    with pytest.raises(FieldError) as caught:
        adaptive_thresholds(FEW, NOISE, 0.01, 0.999)
    assert caught.value.field == "quantile"
    assert adaptive_thresholds(CALIBRATION, NOISE[:1], 0.0, 0.9999) > CALIBRATION.scores[-1]
    with pytest.raises(FieldError, match="no tail") as caught:
        adaptive_thresholds(CALIBRATION, NOISE, 0.01, 0.9999)
    assert caught.value.field == "quantile"
