"""Statistics of columns, in one pass over data of any size."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Summary"]


@dataclass(frozen=True, eq=False)
class Summary:
    """Statistics of columns (C,), without missing values (NaN).

    Attributes:
        rows: Number of rows.
        observed: Number of rows with a value.
        smallest: The lowest value; infinite where there is none.
        largest: The highest value; minus infinite where there is none.
        mean: Mean of the values.
        squares: Sum of the squares of their distances from the mean.
    """

    rows: int
    observed: NDArray[np.int64]
    smallest: NDArray[np.float64]
    largest: NDArray[np.float64]
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def empty(cls, columns: int) -> "Summary":
        """Summary of no rows."""
        return cls(
            0,
            np.zeros(columns, dtype=np.int64),
            np.full(columns, np.inf),
            np.full(columns, -np.inf),
            np.zeros(columns),
            np.zeros(columns),
        )

    @property
    def gaps(self) -> bool:
        """Whether any value is missing."""
        return bool((self.observed < self.rows).any())

    @property
    def variance(self) -> NDArray[np.float64]:
        """Variance of each column (C,)."""
        return self.squares / np.maximum(self.observed, 1)

    def merge(self, block: NDArray[np.floating]) -> "Summary":
        """Summary with further rows (N, C), at least one.

        Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance", eq. 2.1.
        """
        # Sums over contiguous memory take a fraction of the time.
        columns = np.array(block.T, dtype=np.float64, order="C")
        missing = np.isnan(columns)
        count = len(block) - missing.sum(axis=1)
        observed = self.observed + count
        smallest = np.fmin.reduce(columns, axis=1, initial=np.inf)
        largest = np.fmax.reduce(columns, axis=1, initial=-np.inf)
        with np.errstate(over="ignore", invalid="ignore"):
            columns[missing] = 0.0
            mean = columns.sum(axis=1) / np.maximum(count, 1)
            columns -= mean[:, None]
            columns[missing] = 0.0
            squares = np.square(columns, out=columns).sum(axis=1)
            difference = mean - self.mean
            share = count / np.maximum(observed, 1)
            return Summary(
                self.rows + len(block),
                observed,
                np.minimum(self.smallest, smallest),
                np.maximum(self.largest, largest),
                self.mean + difference * share,
                self.squares + squares + difference**2 * self.observed * share,
            )
