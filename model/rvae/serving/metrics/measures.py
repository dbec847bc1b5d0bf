"""What a worker counts, in which buckets, and its places in the file of its counts."""

import hashlib
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["COUNTERS", "HISTOGRAMS", "LAYOUT", "NUMBERS", "PLACES", "Histogram", "Phases"]

# Steps of about a factor of three, from what parsing takes to the longest time of a request.
PHASE_SECONDS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
BATCHES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
# Scores of different models have different units. On these two scales they have none: 0 and 1 of
# the severity are the model's own usual score and threshold, and tail probabilities are quantiles
# of its calibration. So the buckets of all models and versions can be laid over each other.
SEVERITIES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
PROBABILITIES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class Phases(NamedTuple):
    """Where the time of a request went, in seconds.

    Attributes:
        queue: From its arrival, until a worker begins to read it.
        parse: Its body is decoded and checked.
        run: The model computes, for all requests of the run; and its own results.
        encode: The answer is encoded.
    """

    queue: float
    parse: float
    run: float
    encode: float


@dataclass(frozen=True)
class Histogram:
    """Values in buckets; its numbers are the count of each bucket and the sum of the values.

    Attributes:
        bounds: Upper bounds of the buckets, which hold them; one more bucket is above the last.
    """

    bounds: tuple[float, ...]

    @property
    def numbers(self) -> int:
        """How many numbers it has."""
        return len(self.bounds) + 2

    def of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The numbers of some values (N,), none of them missing."""
        buckets = np.searchsorted(self.bounds, values)
        counts = np.bincount(buckets, minlength=self.numbers - 1)
        return np.append(counts, values.sum())


# In the order of a file.
COUNTERS = ("windows", "judged", "flagged", "steps")
HISTOGRAMS = {
    **{phase: Histogram(PHASE_SECONDS) for phase in Phases._fields},
    "batch": Histogram(BATCHES),
    "severity": Histogram(SEVERITIES),
    "tail_probability": Histogram(PROBABILITIES),
}


_SIZES = dict.fromkeys(COUNTERS, 1) | {name: one.numbers for name, one in HISTOGRAMS.items()}
_ENDS = list(accumulate(_SIZES.values()))
# Where the numbers of each are, and how many there are in all.
PLACES = {name: slice(end - _SIZES[name], end) for name, end in zip(_SIZES, _ENDS, strict=True)}
NUMBERS = _ENDS[-1]
# Workers run the library of their archive: others may count otherwise.
LAYOUT = hashlib.sha256(repr((COUNTERS, HISTOGRAMS)).encode()).hexdigest()[:16]
