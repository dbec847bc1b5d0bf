import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.scoring.adaptive_threshold import AdaptiveThreshold
from rvae.scoring.blocks import Blocks
from rvae.scoring.calibration import Calibration
from rvae.scoring.thresholds import ThresholdRule

RANDOM = np.random.default_rng(0)
CALIBRATION = Calibration.fit(Blocks.without_order(RANDOM.standard_exponential(300), 300, 40), 0.95)
SERIES = [RANDOM.standard_exponential(n) + 1 for n in (40, 1, 25)]


@pytest.mark.parametrize("quantile", [None, 0.5, 0.99])
def test_one_threshold_for_all_has_no_axis(quantile: float | None) -> None:
    rule = ThresholdRule(CALIBRATION, quantile=quantile)
    for found in (rule.thresholds(SERIES[0]), rule.thresholds_of_all(SERIES)):
        assert found.shape == () and found == CALIBRATION.threshold(quantile)


def test_a_value_is_a_threshold_itself() -> None:
    assert ThresholdRule(CALIBRATION, value=-7.0).thresholds_of_all(SERIES) == -7


@pytest.mark.parametrize("quantile", [None, 0.8])
def test_a_threshold_that_adapts_begins_anew_with_each_series(quantile: float | None) -> None:
    rule = ThresholdRule(CALIBRATION, 0.1, quantile)
    expected = [AdaptiveThreshold(CALIBRATION, 0.1, quantile).follow(one) for one in SERIES]
    assert len(set(expected[0].tolist())) > 3
    np.testing.assert_array_equal(rule.thresholds(SERIES[0]), expected[0])
    np.testing.assert_array_equal(rule.thresholds_of_all(SERIES), np.concatenate(expected))


@pytest.mark.parametrize("adapt", [None, 0.1])
def test_stretches_of_a_series_have_the_thresholds_of_the_whole(adapt: float | None) -> None:
    rule = ThresholdRule(CALIBRATION, adapt)
    follow = rule.begin_series()
    found = [np.broadcast_to(follow(one), one.shape) for one in np.split(SERIES[0], [1, 7, 20])]
    whole = np.broadcast_to(rule.thresholds(SERIES[0]), SERIES[0].shape)
    np.testing.assert_array_equal(np.concatenate(found), whole)


@pytest.mark.parametrize("quantile", [None, 0.8, 0.99])
@pytest.mark.parametrize("adapt", [None, 0.0, 0.003, 0.1])
def test_flags_and_tail_probabilities_always_agree(
    adapt: float | None, quantile: float | None
) -> None:
    rule = ThresholdRule(CALIBRATION, adapt, quantile)
    scores = RANDOM.standard_exponential(3000) + np.linspace(0, 3, 3000)
    scores[1::5] = np.nan
    judged = rule.judged(scores, rule.thresholds(scores))
    allowed = 1 - (quantile or CALIBRATION.quantile)
    np.testing.assert_array_equal(
        judged["is_anomaly"], judged["tail_probability"] <= allowed + 1e-9
    )
    np.testing.assert_array_equal(judged["is_anomaly"], scores > judged["threshold"])
    np.testing.assert_array_equal(np.isnan(judged["tail_probability"]), np.isnan(scores))
    assert 20 < judged["is_anomaly"].sum() < 2000


@pytest.mark.parametrize("offset", [0.0, -20.0])
def test_rounding_of_the_drift_moves_no_score_across_the_threshold(offset: float) -> None:
    scores = RANDOM.standard_exponential(300) + offset
    calibration = Calibration.fit(Blocks.without_order(scores, 300, 40), 0.95)
    rule = ThresholdRule(calibration, 0.1)
    thresholds = calibration.threshold() + RANDOM.exponential(20.0, 10_000)
    for scores, flagged in ((thresholds, False), (np.nextafter(thresholds, np.inf), True)):
        judged = rule.judged(scores, thresholds)
        assert (judged["is_anomaly"] == flagged).all()
        assert ((judged["tail_probability"] <= 0.05 + 1e-9) == flagged).all()


def test_a_threshold_that_drifted_judges_scores_without_the_drift() -> None:
    rule = ThresholdRule(CALIBRATION, 0.1)
    drifted = CALIBRATION.threshold() + 2 * CALIBRATION.spread
    scores = np.array([0.5, 3.0, 1e3])
    plain = ThresholdRule(CALIBRATION).judged(scores, np.asarray(CALIBRATION.threshold()))
    judged = rule.judged(scores + 2 * CALIBRATION.spread, np.full(3, drifted))
    for name in ("tail_probability", "above_calibration", "is_anomaly"):
        np.testing.assert_array_equal(judged[name], plain[name])
    np.testing.assert_allclose(judged["drift"], 2)
    np.testing.assert_allclose(judged["severity"], plain["severity"] + 2)
    assert plain["drift"] == 0 and plain["drift"].shape == ()


def test_a_window_is_flagged_if_its_severity_is_above_one_plus_the_drift() -> None:
    scores = RANDOM.standard_exponential(2000) + np.linspace(0, 3, 2000)
    rule = ThresholdRule(CALIBRATION, 0.02)
    judged = rule.judged(scores, rule.thresholds(scores))
    assert judged["drift"].max() > 0.5
    np.testing.assert_array_equal(judged["is_anomaly"], judged["severity"] > 1 + judged["drift"])


def test_a_threshold_of_ones_own_changes_flags_and_no_probability() -> None:
    scores = np.array([0.1, 1.0, 9.0, np.nan])
    judged = ThresholdRule(CALIBRATION, value=0.5).judged(scores, np.asarray(0.5))
    assert judged["is_anomaly"].tolist() == [False, True, True, False]
    np.testing.assert_array_equal(judged["tail_probability"], CALIBRATION.tail_probability(scores))
    assert judged["drift"] == 0


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (ThresholdRule(CALIBRATION, 0.2), "adapt"),
        (ThresholdRule(CALIBRATION, 0.1, 0.999), "quantile"),
        (ThresholdRule(CALIBRATION, quantile=1.0), "quantile"),
    ],
)
def test_what_cannot_be_told_is_refused(rule: ThresholdRule, field: str) -> None:
    with pytest.raises(FieldError) as caught:
        rule.begin_series()
    assert caught.value.field == field
