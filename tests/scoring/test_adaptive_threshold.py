import math

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.errors import FieldError
from rvae.scoring.adaptive_threshold import AdaptiveThreshold
from rvae.scoring.blocks import Blocks
from rvae.scoring.calibration import Calibration

WINDOWS = 20_000
RANDOM = np.random.default_rng(0)
CALIBRATION = Calibration.fit(
    Blocks.without_order(RANDOM.standard_exponential(1000), 1000, 40), 0.95
)
LIMIT, SPREAD, ALLOWED = CALIBRATION.threshold(), CALIBRATION.spread, 0.05
NOISE = RANDOM.standard_exponential(WINDOWS)
DRIFTS = {
    "shift": np.where(np.arange(WINDOWS) < 1000, 0.0, 3.0),
    "trend": np.linspace(0, 20, WINDOWS),
    "season": 2 * np.sin(np.arange(WINDOWS) / 300),
    "scale": NOISE,
}
HOSTILE = {
    "huge": RANDOM.choice([-1e300, 1e300], WINDOWS),
    "infinite": RANDOM.choice([-np.inf, np.inf, 0.0], WINDOWS),
    "constant": np.full(WINDOWS, LIMIT),
    "alternating": np.where(np.arange(WINDOWS) % 2 == 0, 0.0, 1e12),
    "missing": np.where(NOISE < 1, np.nan, 1e6 * NOISE),
    "ever higher": np.exp(np.linspace(0, 700, WINDOWS)),
}


def followed(scores: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    return AdaptiveThreshold(CALIBRATION, rate).follow(scores)


def steps_above(level: float, count: int) -> NDArray[np.float64]:
    """Scores of windows above the threshold of the calibration."""
    return np.full(count, LIMIT + level)


@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize("rate", [0.002, 0.02])
def test_however_scores_drift_the_share_of_alarms_is_bounded(drift: str, rate: float) -> None:
    scores = NOISE + DRIFTS[drift]
    flagged = scores > followed(scores, rate)
    assert (scores > LIMIT).mean() > 0.09
    furthest = (scores.max() - LIMIT) / SPREAD
    assert flagged.mean() <= ALLOWED + (furthest / rate + 1) / WINDOWS


@pytest.mark.parametrize("drift", ["shift", "season", "scale"])
def test_drift_that_is_slow_for_the_rate_costs_few_alarms(drift: str) -> None:
    scores = NOISE + DRIFTS[drift]
    assert (scores > followed(scores, 0.02)).mean() < 1.2 * ALLOWED


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("rate", [0.0, 0.002, 0.1])
def test_thresholds_stay_finite_and_bounded(kind: str, rate: float) -> None:
    thresholds = followed(HOSTILE[kind], rate)
    assert np.isfinite(thresholds).all()
    assert thresholds.min() >= LIMIT and thresholds[0] == LIMIT
    rises = np.diff(thresholds)
    assert rises.max() <= rate * SPREAD * (1 + 1e-9)


def test_no_window_is_flagged_that_the_fixed_threshold_would_not_flag() -> None:
    calm = np.concatenate([np.full(5000, -100.0), NOISE])
    flagged = calm > followed(calm, 0.1)
    assert flagged.sum() > 0 and not (flagged & (calm <= LIMIT)).any()


def test_a_long_anomaly_is_flagged_from_beginning_to_end_if_it_is_high_enough() -> None:
    rate, length = 0.002, 400
    scores = np.concatenate([np.zeros(50), steps_above(length * rate * SPREAD, length)])
    assert (scores > followed(scores, rate))[50:].all()
    lasting = np.concatenate([scores, steps_above(length * rate * SPREAD, 10 * length)])
    flagged = (lasting > followed(lasting, rate))[50:]
    # Learned: then it is flagged as often as normal windows may be.
    assert flagged[:length].all() and flagged[2 * length :].mean() == pytest.approx(
        ALLOWED, abs=0.005
    )


def test_a_second_outage_is_found_right_after_the_first() -> None:
    outage = steps_above(1.0 * SPREAD, 310)
    scores = np.concatenate([outage, np.zeros(50), outage])
    flagged = scores > followed(scores, 0.002)
    assert flagged[:310].all()
    assert flagged[360:].sum() > 150


@pytest.mark.parametrize("quantile", [0.95, 0.99])
def test_an_outage_that_returns_every_week_is_found_every_week(quantile: float) -> None:
    minutes, weeks = 7 * 24 * 60, 12
    week = np.zeros(minutes)
    week[-310:] = CALIBRATION.threshold(quantile) + SPREAD * np.bartlett(310)
    scores = np.tile(week, weeks)
    thresholds = AdaptiveThreshold(CALIBRATION, 0.005, quantile).follow(scores)
    assert thresholds.max() > thresholds.min() + 0.5 * SPREAD  # much is learned, in vain
    assert (scores > thresholds).reshape(weeks, minutes).any(axis=1).all()


@pytest.mark.parametrize("rate", [0.002, 0.02, 0.1])
def test_what_was_flagged_is_flagged_again_after_a_while(rate: float) -> None:
    """However long it lasted, and however little it exceeds the threshold."""
    pause = math.ceil(1 / ALLOWED)
    for length in (1, 300, 5000):
        scores = np.concatenate([steps_above(0.5, length), np.zeros(pause)])
        last = np.flatnonzero(scores > followed(scores, rate))[-1]
        again = np.append(scores[: last + 1 + pause], LIMIT + 0.5)
        assert (again > followed(again, rate))[-1]


def test_a_rate_of_zero_keeps_the_threshold_of_the_quantile() -> None:
    for quantile in (None, 0.8, 0.999):
        thresholds = AdaptiveThreshold(CALIBRATION, 0.0, quantile).follow(NOISE[:100])
        np.testing.assert_array_equal(thresholds, [CALIBRATION.threshold(quantile)] * 100)


def test_each_window_moves_the_threshold_as_defined() -> None:
    scores = np.array([0.0, 1e9, np.nan, 1e9, 0.0, 0.0])
    thresholds = AdaptiveThreshold(CALIBRATION, 0.01, 0.9).follow(scores)
    shifts = np.array([0.0, 0.0, 0.9, 0.9, 1.8, 1.7]) * 0.01 * SPREAD  # by hand
    np.testing.assert_allclose(thresholds, CALIBRATION.threshold(0.9) + shifts, rtol=1e-12)


def test_a_threshold_depends_on_scores_before_it_alone() -> None:
    whole = followed(NOISE[:200], 0.05)
    for cut in (0, 50, 190):
        changed = NOISE[:200].copy()
        changed[cut:] += 100
        thresholds = followed(changed, 0.05)
        np.testing.assert_array_equal(thresholds[: cut + 1], whole[: cut + 1])
        assert (thresholds != whole).any()


def test_pieces_of_a_series_are_followed_like_the_whole() -> None:
    following = AdaptiveThreshold(CALIBRATION, 0.05)
    pieces = [following.follow(piece) for piece in np.split(NOISE[:300], [1, 100, 100, 250])]
    np.testing.assert_array_equal(np.concatenate(pieces), followed(NOISE[:300], 0.05))


@pytest.mark.parametrize("rate", [-0.01, 0.11, np.nan])
def test_a_rate_out_of_bounds_is_refused(rate: float) -> None:
    with pytest.raises(FieldError) as caught:
        AdaptiveThreshold(CALIBRATION, rate)
    assert caught.value.field == "adapt"


def test_a_quantile_that_cannot_be_told_is_refused() -> None:
    with pytest.raises(FieldError) as caught:
        AdaptiveThreshold(CALIBRATION, 0.01, 0.9999)
    assert caught.value.field == "quantile"
