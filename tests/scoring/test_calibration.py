import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.scoring.calibration import Calibration


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("draw", ["standard_normal", "standard_cauchy", "standard_exponential"])
def test_the_threshold_keeps_its_false_alarm_rate(quantile: float, draw: str) -> None:
    """Over many calibrations the mean rate of fresh normal scores above it is at most 1 - q."""
    random = np.random.default_rng(0)
    rates = []
    for _ in range(400):
        calibration = Calibration.fit(getattr(random, draw)(200), quantile, 200)
        rates.append((getattr(random, draw)(500) > calibration.threshold()).mean())
    error = np.std(rates) / np.sqrt(len(rates))
    # For continuous scores the rate is between 1 - q - 1/(n + 1) and 1 - q.
    assert np.mean(rates) < 1 - quantile + 4 * error
    assert np.mean(rates) > 1 - quantile - 1 / 201 - 4 * error


def test_tail_probabilities_are_uniform_for_fresh_normal_scores() -> None:
    random = np.random.default_rng(1)
    calibration = Calibration.fit(random.normal(size=999), 0.99, 999)
    tails = calibration.tail_probability(random.normal(size=20_000))
    for level in (0.01, 0.1, 0.5):
        assert (tails <= level).mean() == pytest.approx(level, abs=0.03)


def test_flag_and_tail_probability_agree() -> None:
    random = np.random.default_rng(2)
    calibration = Calibration.fit(random.normal(size=300), 0.95, 300)
    scores = np.concatenate([calibration.scores, random.normal(size=1000)])
    flagged = scores > calibration.threshold()
    np.testing.assert_array_equal(flagged, calibration.tail_probability(scores) <= 1 - 0.95)


def test_small_cases_by_hand() -> None:
    calibration = Calibration.fit(np.array([3.0, 1.0, np.nan, 2.0, 4.0]), 0.8, 4)
    assert calibration.threshold() == 4.0
    assert calibration.threshold(0.4) == 2.0
    np.testing.assert_allclose(
        calibration.tail_probability([5, 4, 3.5, 0, np.nan]), [0.2, 0.4, 0.4, 1, np.nan]
    )


def test_more_is_not_promised_than_the_scores_can_tell() -> None:
    with pytest.raises(FieldError, match="99 calibration windows") as caught:
        Calibration.fit(np.arange(98.0), 0.99, 98)
    assert caught.value.field == "training.quantile"
    calibration = Calibration.fit(np.arange(99.0), 0.99, 99)
    assert calibration.threshold() == 98
    with pytest.raises(FieldError) as caught:
        calibration.threshold(0.995)
    assert caught.value.field == "quantile"


def rate_with_overlap(windows: int, window: int) -> tuple[float, set[bool]]:
    """Mean rate of false alarms where neighbouring scores share all but one of their points."""
    random = np.random.default_rng(3)
    rates, promises = [], []
    for _ in range(300):
        noise = random.normal(size=(2, windows + window - 1)) ** 2
        held_out, fresh = (np.convolve(part, np.ones(window) / window, "valid") for part in noise)
        calibration = Calibration.fit(held_out, 0.9, noise.shape[1] // window)
        rates.append((fresh > calibration.threshold()).mean())
        promises.append(calibration.keeps_promise)
    return np.mean(rates), set(promises)


def test_the_promise_is_kept_of_windows_that_overlap() -> None:
    for windows in (400, 1000, 4000):
        rate, promised = rate_with_overlap(windows, window=40)
        assert rate < 0.1 and promised == {True}


def test_too_few_windows_without_overlap_are_admitted() -> None:
    rate, promised = rate_with_overlap(windows=100, window=40)
    assert 0.1 < rate < 0.15 and promised == {False}
