"""One time series."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Series"]


@dataclass(frozen=True)
class Series:
    """A time series, or a stretch of one.

    Attributes:
        name: What tells it apart from its neighbours in a file.
        values: (N, C), NaN where missing.
        labels: (N,), true where anomalous; all false where nothing is known.
    """

    name: str
    values: NDArray[np.float64]
    labels: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.values)

    def part(self, start: int, stop: int) -> "Series":
        """The stretch of time steps from `start` to before `stop`."""
        return Series(self.name, self.values[start:stop], self.labels[start:stop])
