import numpy as np
import pytest

from rvae.calibration import Calibration
from rvae.errors import FieldError


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("draw", ["standard_normal", "standard_cauchy", "standard_exponential"])
def test_the_threshold_keeps_its_false_alarm_rate(quantile, draw):
    """Over many calibrations the mean rate of fresh normal scores above it is at most 1 - q."""
    random = np.random.default_rng(0)
    rates = []
    for _ in range(400):
        calibration = Calibration.fit(getattr(random, draw)(200), quantile)
        rates.append((getattr(random, draw)(500) > calibration.threshold()).mean())
    error = np.std(rates) / np.sqrt(len(rates))
    # For continuous scores the rate is between 1 - q - 1/(n + 1) and 1 - q.
    assert np.mean(rates) < 1 - quantile + 4 * error
    assert np.mean(rates) > 1 - quantile - 1 / 201 - 4 * error


def test_tail_probabilities_are_uniform_for_fresh_normal_scores():
    random = np.random.default_rng(1)
    calibration = Calibration.fit(random.normal(size=999), 0.99)
    tails = calibration.tail_probability(random.normal(size=20_000))
    for level in (0.01, 0.1, 0.5):
        assert (tails <= level).mean() == pytest.approx(level, abs=0.03)


def test_flag_and_tail_probability_agree():
    random = np.random.default_rng(2)
    calibration = Calibration.fit(random.normal(size=300), 0.95)
    scores = np.concatenate([calibration.scores, random.normal(size=1000)])
    flagged = scores > calibration.threshold()
    np.testing.assert_array_equal(flagged, calibration.tail_probability(scores) <= 1 - 0.95)


def test_small_cases_by_hand():
    calibration = Calibration.fit(np.array([3.0, 1.0, np.nan, 2.0, 4.0]), 0.8)
    assert calibration.threshold() == 4.0
    assert calibration.threshold(0.4) == 2.0
    np.testing.assert_allclose(
        calibration.tail_probability([5, 4, 3.5, 0, np.nan]), [0.2, 0.4, 0.4, 1, np.nan]
    )


def test_more_is_not_promised_than_the_scores_can_tell():
    with pytest.raises(FieldError, match="99 calibration windows") as caught:
        Calibration.fit(np.arange(98.0), 0.99)
    assert caught.value.field == "training.quantile"
    calibration = Calibration.fit(np.arange(99.0), 0.99)
    assert calibration.threshold() == 98
    with pytest.raises(FieldError) as caught:
        calibration.threshold(0.995)
    assert caught.value.field == "quantile"
