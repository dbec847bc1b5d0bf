import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.scoring.adaptive_threshold import AdaptiveThreshold
from rvae.scoring.calibration import Calibration
from rvae.scoring.thresholds import ThresholdRule

RANDOM = np.random.default_rng(0)
CALIBRATION = Calibration.fit(RANDOM.standard_exponential(300), 0.95, 300)
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
