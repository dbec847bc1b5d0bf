"""How long a window is if the user does not say so."""

import numpy as np

from rvae.config import DataConfig
from rvae.data.period import POINTS, period
from rvae.data.series import Dataset
from rvae.data.windows import min_training_steps, training_candidates

__all__ = ["default_window"]

PERIODS = 2
MIN_WINDOW, MAX_WINDOW = 96, 256

# Of a series cut in time: two of training, one and a half of each other part, two gaps.
WINDOWS_PER_SERIES = 7


def default_window(dataset: Dataset, config: DataConfig, seed: int) -> int:
    """Two periods, within bounds; the whole series where each one is a row.

    A window of less than a period has nothing to be compared with, and one of many hardly changes
    by one that is odd. The period is that of the first channel that varies, in the longest series
    that training has something of. Of a series that is cut in time, only those first steps are
    looked at that are training whichever window is chosen: held-out data must not choose it.

    Args:
        dataset: The series.
        config: How they are split.
        seed: Of the split.
    """
    if dataset.source.layout == "rows":
        return len(dataset.series[0])
    longest = max(training_candidates(dataset.series, config, seed), key=len)
    max_window = max(2, min(MAX_WINDOW, len(longest) // WINDOWS_PER_SERIES))
    steps = min_training_steps(len(longest), dataset.series, config, max_window)
    values = np.asarray(longest.part(0, min(steps, POINTS)).values)
    moving = np.fmax.reduce(values) > np.fmin.reduce(values)
    channel = int(moving.argmax())
    return min(max(PERIODS * period(values[:, channel]), MIN_WINDOW), max_window)
