"""Time series."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.config import ReaderConfig
from rvae.data.stored import StoredArray
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError

__all__ = ["Dataset", "Series"]

STEPS_PER_CHUNK = 1 << 16


@dataclass(frozen=True, eq=False)
class Series:
    """A time series, or a stretch of one.

    What is (N,) in memory is (N, 1) on disk; methods give either as an array.

    Attributes:
        values: (N, C), NaN where missing. Categories are whole numbers from 1, and 0 is a category
            that is unknown.
        name: What tells it apart from its neighbours in a file.
        labels: (N,), true where anomalous; None where nothing is known.
        times: (N,), when each step was, in microseconds; None where nothing is known.
        classes: (N,), index of each step's class, negative where it is none that is known; None
            where there are no classes.
    """

    values: NDArray[np.float64] | StoredArray
    name: str = ""
    labels: NDArray[np.bool_] | StoredArray | None = None
    times: NDArray[np.datetime64] | StoredArray | None = None
    classes: NDArray[np.int64] | StoredArray | None = None

    def __len__(self) -> int:
        return len(self.values)

    def part(self, start: int, stop: int) -> "Series":
        """The stretch of time steps from `start` to before `stop`."""
        return self.steps(slice(start, stop), self.name)

    def steps(self, which: Any, name: str) -> "Series":
        """The time steps of a slice, or in memory those where a mask (N,) holds, under a name."""

        def at(beside: Any) -> Any:
            return None if beside is None else beside[which]

        return Series(at(self.values), name, at(self.labels), at(self.times), at(self.classes))

    def pieces(self) -> Iterator["Series"]:
        """Stretches that are easy on memory, one after another."""
        for start in range(0, len(self), STEPS_PER_CHUNK):
            yield self.part(start, start + STEPS_PER_CHUNK)

    def padded(self, length: int) -> "Series":
        """At least so many steps, the values missing at the end, where it had fewer.

        Only for what lies in memory and has no times.
        """
        lacking = max(0, length - len(self))

        def more(beside: Any) -> Any:
            return None if beside is None else np.pad(beside, (0, lacking), mode="edge")

        values = np.pad(self.values, ((0, lacking), (0, 0)), constant_values=np.nan)
        return Series(values, self.name, more(self.labels), None, more(self.classes))

    @property
    def anomalous(self) -> NDArray[np.bool_]:
        """Which steps (N,) are known to be anomalous."""
        if self.labels is None:
            return np.zeros(len(self), dtype=bool)
        return np.asarray(self.labels, dtype=bool).reshape(-1)

    @property
    def kinds(self) -> NDArray[np.int64]:
        """The classes (N,), negative where there are none."""
        if self.classes is None:
            return np.full(len(self), -1)
        return np.asarray(self.classes, dtype=np.int64).reshape(-1)

    @property
    def classified(self) -> bool:
        """Whether every step has a class that is known."""
        return all((piece.kinds >= 0).all() for piece in self.pieces())

    def clock(self) -> NDArray[np.datetime64]:
        """The times (N,) in microseconds.

        Raises:
            FieldError: If there are none.
        """
        if self.times is None:
            raise FieldError("timestamps", "are missing: this model needs the time of every step")
        if isinstance(self.times, StoredArray):
            return np.asarray(self.times, dtype=np.int64).reshape(-1).view("datetime64[us]")
        return self.times


@dataclass(frozen=True)
class Dataset:
    """Series with the same channels.

    Attributes:
        series: At least one.
        channels: Names of the channels, in the order of the values' last axis.
        source: How they were read, with the columns and the array that were chosen.
        vocabulary: What numbers of categories and classes stand for.
    """

    series: list[Series]
    channels: tuple[str, ...]
    source: ReaderConfig
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
