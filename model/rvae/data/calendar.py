"""Timestamps → position of each step in the hour, day, week or year."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["CYCLES", "calendar_features"]

DAY = 24 * 3600.0
# Length in seconds, and offset of a first start from 1970-01-01, which was a Thursday.
CYCLES = {
    "hour": (3600.0, 0.0),
    "day": (DAY, 0.0),
    "week": (7 * DAY, 4 * DAY),
    "year": (365.2425 * DAY, 0.0),
}


def calendar_features(times: NDArray[np.datetime64], cycles: Sequence[str]) -> NDArray[np.float32]:
    """Encode times as positions on circles, one circle per cycle.

    With a sine and a cosine, midnight is close to the minute before it. The hour as a number
    would place the two at opposite ends of the scale.

    Args:
        times: Of any shape (...), in the local time zone of the cycles.
        cycles: Names from `CYCLES`.

    Returns:
        (..., 2 * cycles): sine and cosine of each cycle in turn.
    """
    seconds = times.astype("datetime64[ms]").astype(np.int64) / 1000.0
    features = np.empty((*times.shape, 2 * len(cycles)), dtype=np.float32)
    for i, name in enumerate(cycles):
        length, start = CYCLES[name]
        angle = 2 * np.pi * ((seconds - start) / length % 1)
        features[..., 2 * i] = np.sin(angle)
        features[..., 2 * i + 1] = np.cos(angle)
    return features
