"""How long a window is where nobody says so."""

import numpy as np

from rvae.data.period import POINTS, period
from rvae.data.series import Dataset

__all__ = ["default_window"]

PERIODS = 2
SHORTEST, LONGEST = 96, 256

# Of a series cut in time: two of training, one and a half of each other part, two gaps.
WINDOWS_OF_A_SERIES = 7


def default_window(dataset: Dataset) -> int:
    """Two periods, within bounds; the whole series where each one is a row.

    A window of less than a period has nothing to be compared with, and one of many hardly changes
    by one that is odd. The period is that of the first channel that varies, in the longest series.
    """
    longest = max(dataset.series, key=len)
    if dataset.source.layout == "rows":
        return len(dataset.series[0])
    values = np.asarray(longest.part(0, min(len(longest), POINTS)).values)
    moving = np.fmax.reduce(values) > np.fmin.reduce(values)
    channel = int(moving.argmax())
    steps = int(np.clip(PERIODS * period(values[:, channel]), SHORTEST, LONGEST))
    return max(2, min(steps, len(longest) // WINDOWS_OF_A_SERIES))
