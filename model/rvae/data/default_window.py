"""Length of a window where the user does not choose one."""

import numpy as np
from numpy.typing import NDArray

from rvae.config import DataConfig
from rvae.data.folds import can_leave_out
from rvae.data.period import POINTS, found_period, period
from rvae.data.pieces import first_steps, steps_of, together
from rvae.data.series import Dataset
from rvae.data.windows import cuts_in_time, min_training_steps, training_candidates

__all__ = ["default_window", "training_period"]

PERIODS = 2
MIN_WINDOW, MAX_WINDOW = 96, 256

# Windows in a series cut in time: two in training, one and a half in each other part, two gaps.
WINDOWS_PER_SERIES = 7

# With folds a series has to hold more, as far as a window stays as long as the shortest usual one.
# Fewer are little evidence, and leave the models of folds too little: what they have not seen
# scores so high that nothing exceeds it.
WINDOWS_PER_FOLDED_SERIES = 11

# In the longest piece of a series with holes: shorter pieces hold none.
WINDOWS_PER_PIECE = 2


def default_window(dataset: Dataset, config: DataConfig, seed: int, folds: int = 1) -> int:
    """Two periods, within bounds; the whole series where each series is a row.

    A window shorter than a period cannot show whether the period is normal; in a window of many
    periods, one abnormal period hardly changes the score. The period is taken from the first
    channel that varies, in the longest series with a training part, or its longest piece between
    holes. If series are cut in time, only the steps that belong to training for every possible
    window are used: held-out data must not influence the choice.

    Args:
        dataset: The series.
        config: Configuration of the split.
        seed: Seed of the split.
        folds: Number of folds, each of which must leave enough to train on.
    """
    if dataset.source.layout == "rows":
        return len(dataset.series[0])
    values, max_window = _beginning(dataset, config, seed, folds)
    return min(max(PERIODS * period(values), MIN_WINDOW), max_window)


def training_period(dataset: Dataset, config: DataConfig, seed: int, folds: int = 1) -> int | None:
    """The period that the window is chosen by, in steps; None if there is none."""
    if dataset.source.layout == "rows":
        return None
    return found_period(_beginning(dataset, config, seed, folds)[0])


def _longest(steps: int, folds: int) -> int:
    """The longest window that may be chosen for a series with so many steps."""
    longest = steps // WINDOWS_PER_SERIES
    if folds == 1:
        return longest
    return max(min(MIN_WINDOW, longest), steps // WINDOWS_PER_FOLDED_SERIES)


def _beginning(
    dataset: Dataset, config: DataConfig, seed: int, folds: int
) -> tuple[NDArray[np.float64], int]:
    """The beginning of a channel (N,), and the longest window that may be chosen."""
    calibration = folds == 1
    candidates = training_candidates(dataset.series, config, seed, calibration)
    longest = max(candidates, key=steps_of)
    max_window = min(
        MAX_WINDOW,
        _longest(steps_of(longest), folds),
        max(map(len, longest)) // WINDOWS_PER_PIECE,
    )
    max_window = max(2, max_window)
    if folds > 1 and cuts_in_time(together(dataset.series), config):
        shorter = range(max_window, 1, -1)
        max_window = next((w for w in shorter if can_leave_out(longest, config, w, folds)), 2)
    steps = min_training_steps(longest, dataset.series, config, max_window, calibration)
    piece = max(first_steps(longest, steps), key=len)
    values = np.asarray(piece.part(0, POINTS).values)
    moving = np.fmax.reduce(values) > np.fmin.reduce(values)
    return values[:, int(moving.argmax())], max_window
