"""The time steps of a series: how even they are, and where there are holes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import STEPS_PER_CHUNK, Series
from rvae.errors import FieldError

__all__ = ["UNEVEN_SHARE", "TimeSteps", "time_steps"]

# A missing row makes a step of twice the usual length, and a delay of less than half a step skips
# no row: the border between the two is in the middle.
HOLE = 1.5

# A step that is shorter than this was not made by a clock with the usual step either.
SHORT = 0.5

# With more than one uneven step in ten, stretches between them have less than ten steps on average.
UNEVEN_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class TimeSteps:
    """The steps between neighbouring times of a series.

    Attributes:
        count: Number of steps, one less than times.
        usual: The median of the first 65,536 steps, in microseconds.
        uneven: Number of steps that differ by more than half from the usual one.
        holes: Indices (H,) of the first time after each hole: a step of more than one and a half
            times the usual one.
        lengths: Lengths of the holes (H,).
    """

    count: int
    usual: np.timedelta64
    uneven: int
    holes: NDArray[np.int64]
    lengths: NDArray[np.timedelta64]


def time_steps(series: Series) -> TimeSteps | None:
    """The steps of a series, in memory or on disk; None if it has no two times.

    Raises:
        FieldError: If its times do not rise.
    """
    if series.times is None or len(series) < 2:
        return None
    usual = np.timedelta64(0, "us")
    uneven, holes, lengths = 0, [], []
    for first, steps in _steps(series):
        if first == 0:
            # The lower median is a step that occurs.
            usual = np.sort(steps)[(len(steps) - 1) // 2]
        # In floats: the product with a length of time would be cut.
        relative = steps / usual
        uneven += int(((relative > HOLE) | (relative < SHORT)).sum())
        found = np.flatnonzero(relative > HOLE)
        holes.append(first + 1 + found)
        lengths.append(steps[found])
    return TimeSteps(len(series) - 1, usual, uneven, np.concatenate(holes), np.concatenate(lengths))


def _steps(series: Series) -> Iterator[tuple[int, NDArray[np.timedelta64]]]:
    """Index of the first step, and steps, of stretches that are small enough for memory."""
    last: NDArray[np.datetime64] | None = None
    passed = 0
    for start in range(0, len(series), STEPS_PER_CHUNK):
        times = series.part(start, start + STEPS_PER_CHUNK).clock()
        times = times if last is None else np.concatenate([last, times])
        steps = np.diff(times)
        rises = steps > np.timedelta64(0)
        if not rises.all():
            step = int(np.argmin(rises))
            after = passed + step + 1
            row = after if series.rows is None else int(series.rows[after])
            raise FieldError(
                "reader.time",
                f"does not rise after step {after - 1} of series {series.name}: {times[step]} is "
                f"followed by {times[step + 1]} in row {row}",
            )
        yield passed, steps
        passed += len(steps)
        last = times[-1:]
