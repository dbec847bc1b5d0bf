"""Even and uneven steps, and holes."""

import numpy as np
import pytest

from rvae.data.series import STEPS_PER_CHUNK, Series
from rvae.data.time_steps import time_steps
from rvae.errors import FieldError

START, SECOND = np.datetime64("2026-01-01", "us"), np.timedelta64(1, "s")


def at(seconds: object) -> Series:
    times = START + (np.asarray(seconds, dtype=float) * 1e6).astype("timedelta64[us]")
    return Series(np.zeros((len(times), 1)), "m", times=times)


@pytest.mark.parametrize(
    ("seconds", "holes", "uneven"),
    [
        ([0, 1, 2, 3, 4], [], 0),
        ([0, 1, 2, 4, 5], [3], 1),  # a missing row
        ([0, 1, 2, 3.5, 4.5], [], 0),  # a late one, on the border
        ([0, 1, 2, 3.51, 4.51], [3], 1),
        ([0, 1, 2, 2.4, 3.4], [], 1),  # short, but no hole
        ([0, 1, 50, 51, 52, 100, 101], [2, 5], 2),
        ([0, 5], [], 0),
    ],
)
def test_holes_are_steps_of_more_than_one_and_a_half_times_the_usual(
    seconds: list[float], holes: list[int], uneven: int
) -> None:
    steps = time_steps(at(seconds))
    assert steps is not None
    assert (steps.holes.tolist(), steps.uneven) == (holes, uneven)
    assert steps.count == len(seconds) - 1
    np.testing.assert_allclose(
        steps.lengths / SECOND, [seconds[hole] - seconds[hole - 1] for hole in holes]
    )


def test_the_usual_step_is_one_that_occurs() -> None:
    steps = time_steps(at([0, 1, 11]))
    assert steps is not None and steps.usual == SECOND


def test_without_two_times_there_is_no_step() -> None:
    assert time_steps(at([3])) is None
    assert time_steps(Series(np.zeros((5, 1)))) is None


@pytest.mark.parametrize("hole", [1, STEPS_PER_CHUNK - 1, STEPS_PER_CHUNK, STEPS_PER_CHUNK + 1])
def test_a_hole_is_found_wherever_it_is(hole: int) -> None:
    times = START + np.arange(STEPS_PER_CHUNK + 10) * SECOND
    times[hole:] += 60 * SECOND
    steps = time_steps(Series(np.zeros((len(times), 1)), "m", times=times))
    assert steps is not None and steps.holes.tolist() == [hole]
    assert steps.lengths.tolist() == [61 * SECOND]


def test_times_that_do_not_rise_are_named_with_their_row() -> None:
    series = at([0, 1, 1, 2])
    with pytest.raises(FieldError, match=r"after step 1 of series m: .*00:00:01.* in row 2"):
        time_steps(series)
    of_table = Series(series.values, "m", times=series.times, rows=np.array([4, 7, 9, 11]))
    with pytest.raises(FieldError, match="in row 9"):
        time_steps(of_table)
