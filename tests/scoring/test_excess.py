import numpy as np
import pytest

from rvae.scoring.blocks import Blocks, Stretch
from rvae.scoring.calibration import Calibration
from rvae.scoring.evidence import Placement
from rvae.scoring.excess import FLOOR, errors_by_point, excess, largest, levels, normal_parts


def test_it_is_zero_at_the_level_and_log_two_at_twice_the_error() -> None:
    level = np.array([100.0])
    parts = np.array([[100.0], [400.0]])
    np.testing.assert_allclose(excess(parts, level), [[0.0], [np.log(2)]], rtol=1e-3)


def test_the_level_is_what_one_window_in_a_hundred_exceeds() -> None:
    parts = np.random.default_rng(0).exponential(size=(10_000, 2)) * [1.0, 50.0]
    assert (parts > levels(parts)).mean(axis=0) == pytest.approx([0.01, 0.01], abs=1e-3)


def test_what_was_not_observed_has_no_part_in_the_level() -> None:
    parts = np.array([[1.0, np.nan], [1.0, np.nan], [np.nan, np.nan]])
    with pytest.warns(RuntimeWarning, match="All-NaN"):
        assert levels(parts).tolist() == [1.0, 0.0]


def test_errors_of_a_channel_without_any_do_not_decide_by_their_last_digits() -> None:
    assert excess(np.array([[1e-9]]), np.array([1e-15])).item() < 1e-6
    assert excess(np.array([[100 * FLOOR]]), np.array([0.0])).item() > 2


def test_it_is_finite_for_any_error_that_a_float_can_hold() -> None:
    assert np.isfinite(excess(np.array([[0.0, 3e38]]), np.array([0.0, 0.0]))).all()


def test_errors_of_points_rise_with_the_error_at_any_excess() -> None:
    squares = np.array([[1.0, 2.0, 9.0], [2.0, 9.0, 1.0]])[:, :, None]
    level = np.array([100.0])  # above all of them: the excess is negative
    excesses = excess(squares.mean(axis=1), level)[:, 0]
    placement = Placement(np.array([0, 1]), window=3, length=5)
    found = errors_by_point(excesses, squares, placement)
    np.testing.assert_allclose(found[:4], np.array([1, 2, 9, 1]) / 100, rtol=0.01)
    assert np.isnan(found[4])
    doubled = errors_by_point(excesses + np.log(2), squares, placement)
    np.testing.assert_allclose(doubled, 4 * found)


@pytest.mark.parametrize("count", [1, 12, 55])
def test_the_largest_of_many_parts_keeps_its_promise(count: int) -> None:
    """It does not if levels know the windows that calibrate them: 4 % for 2 % of 12 and 55."""
    random = np.random.default_rng(count)
    rates = []
    for _ in range(250):
        drawn = random.lognormal(size=(300, count)).astype(np.float32)
        training, validation, held_out, fresh = np.split(drawn, [60, 80, 129])
        level = levels(normal_parts({"training": training, "validation": validation}, 0.0))
        scores = [Stretch(largest(held_out, level), np.arange(49))]
        threshold = Calibration.fit(Blocks.fit(scores, 1, 1, time=1), 0.98).threshold()
        rates.append((largest(fresh, level) > threshold).mean())
    assert np.mean(rates) < 0.02 + 4 * np.std(rates) / np.sqrt(len(rates)) < 0.026
