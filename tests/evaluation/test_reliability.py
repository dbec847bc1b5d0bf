import numpy as np
import pytest

from rvae.evaluation.reliability import compare, compare_halves, event_begins, needs
from rvae.scoring.blocks import Blocks, Stretch
from rvae.scoring.calibration import Calibration

WINDOW = 4


def stretch(scores: list[float] | np.ndarray, first: int = 0) -> Stretch:
    values = np.asarray(scores, dtype=float)
    return Stretch(values, np.arange(first, first + len(values)))


def calibration(scores: list[float] | np.ndarray, quantile: float = 0.9) -> Calibration:
    return Calibration.fit(Blocks.fit([stretch(scores)], WINDOW, 1, 1.0), quantile)


def noise(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=count)


def test_rates_by_hand() -> None:
    """Nine blocks of four scores, whose highest is 35; fresh scores exceed it in two clusters."""
    promised = calibration(np.arange(36.0))
    fresh = np.zeros(40)
    fresh[[3, 5, 7, 20]] = 50
    fresh[30] = np.nan
    (level,) = compare(promised, [stretch(fresh)], WINDOW, 1)
    assert level.quantile == 0.9 and level.threshold == 35
    assert level.windows.promised == pytest.approx(0.1)
    assert level.windows.measured == pytest.approx(4 / 39)
    assert level.events.promised == pytest.approx(0.1 / WINDOW)
    assert level.events.measured == pytest.approx(2 / 39)


def test_series_are_not_joined() -> None:
    """Two flagged windows at the ends of two series are two events."""
    promised = calibration(np.arange(36.0))
    ends = [stretch([0.0] * 11 + [50.0]), stretch([50.0] + [0.0] * 11, first=12)]
    (level,) = compare(promised, ends, WINDOW, 1)
    assert level.events.measured == pytest.approx(2 / 24)


def test_series_of_one_window_are_as_long_as_it() -> None:
    """As many of them are flagged as is promised: one in ten, which is an event in 40 steps."""
    promised = calibration(np.arange(36.0))
    windows = [stretch([50.0 if i % 10 == 0 else 0.0], first=WINDOW * i) for i in range(200)]
    (level,) = compare(promised, windows, WINDOW, 1)
    assert level.windows.measured == level.windows.promised == pytest.approx(0.1)
    assert level.events.measured == level.events.promised == pytest.approx(0.1 / WINDOW)
    assert level.verdict == "kept"


def test_windows_at_most_a_window_apart_are_one_event() -> None:
    scores = stretch([9, 0, 0, 0, 9, 0, 0, 0, 0, 9])
    assert event_begins(scores, 1, WINDOW).nonzero()[0].tolist() == [0, 9]
    assert not event_begins(scores, 10, WINDOW).any()


def test_all_quantiles_that_are_carried_are_compared_and_no_other() -> None:
    found = compare(calibration(noise(400, 0), 0.95), [stretch(noise(400, 1))], WINDOW, 1)
    assert [level.quantile for level in found] == [0.95, 0.98, 0.99]
    assert all(level.verdict != "broken" for level in found)


def test_scores_that_depend_for_longer_than_the_calibration_has_blocks_are_fewer() -> None:
    promised = calibration(noise(400, 0))
    (short, *_) = compare(promised, [stretch(noise(400, 1))], WINDOW, 1)
    (long, *_) = compare(promised, [stretch(np.repeat(noise(20, 1), 20))], WINDOW, 1)
    assert short.windows.blocks > 80 and long.windows.blocks <= 20


def test_halves_show_a_change() -> None:
    same = compare_halves(calibration(noise(400, 0)))
    assert same is not None and same.verdict != "broken"
    changed = compare_halves(calibration(noise(400, 0) + 3 * (np.arange(400) >= 200)))
    assert changed is not None and changed.verdict == "broken"
    assert changed.windows.measured > 0.8 and changed.windows.promised == pytest.approx(0.1)


def test_halves_promise_less_than_the_whole() -> None:
    found = compare_halves(calibration(noise(40, 0), 0.9))
    assert found is not None and found.quantile == pytest.approx(5 / 6)
    assert compare_halves(calibration([1.0, 2.0])) is None


def test_what_stricter_promises_take() -> None:
    found = needs(calibration(noise(400, 0)), interval=None)
    assert [(need.windows, need.events) for need in found] == [(0.001, None), (None, 1e-4)]
    assert [need.blocks for need in found] == [999, 2499]
    assert [need.steps for need in found] == [3996, 9996]
    assert found[0].times == pytest.approx(9.99)
    per_time = needs(calibration(noise(400, 0)), interval=600.0)
    assert [need.events for need in per_time if need.events] == [pytest.approx(1 / 1008)]


def test_as_much_data_as_is_said_suffices() -> None:
    for need in needs(calibration(noise(400, 0)), interval=None):
        more = calibration(noise(need.steps, 1))
        if need.windows is not None:
            assert more.largest_quantile >= 1 - need.windows
        else:
            assert more.fewest_events_per_step <= need.events * (1 + 1e-9)
