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

    Attributes of shape (N,) in memory have shape (N, 1) on disk; methods return arrays for both.

    Attributes:
        values: (N, C), NaN where missing. Categories are whole numbers from 1; 0 is an unknown
            category.
        name: Unique in its file.
        labels: (N,), true where anomalous; None without labels.
        times: (N,), timestamps in microseconds; None without times.
        classes: (N,), index of each step's class, negative where the class is unknown; None
            without classes.
        rows: (N,), row of each step in the table that it comes from; None if it comes from no
            table, or from several rows.
        origin: Name of the series that this one was cut out of, at holes in its times; None for a
            whole series. The pieces of a series follow each other.
        first: Index of the first step in the series, or piece of one, that this is a stretch of.
    """

    values: NDArray[np.float64] | StoredArray
    name: str = ""
    labels: NDArray[np.bool_] | StoredArray | None = None
    times: NDArray[np.datetime64] | StoredArray | None = None
    classes: NDArray[np.int64] | StoredArray | None = None
    rows: NDArray[np.int64] | None = None
    origin: str | None = None
    first: int = field(default=0, kw_only=True)

    def __len__(self) -> int:
        return len(self.values)

    def part(self, start: int, stop: int) -> "Series":
        """The stretch of time steps from `start` to before `stop`."""
        return self._selected(slice(start, stop), self.name, self.first + start)

    def steps(self, which: Any, name: str) -> "Series":
        """A new series of the steps of a slice or, in memory, of a mask (N,)."""
        return self._selected(which, name, 0)

    def _selected(self, which: Any, name: str, first: int) -> "Series":
        def select(array: Any) -> Any:
            return None if array is None else array[which]

        return Series(
            select(self.values),
            name,
            select(self.labels),
            select(self.times),
            select(self.classes),
            select(self.rows),
            self.origin,
            first=first,
        )

    def pieces(self) -> Iterator["Series"]:
        """Consecutive stretches, each small enough for memory."""
        for start in range(0, len(self), STEPS_PER_CHUNK):
            yield self.part(start, start + STEPS_PER_CHUNK)

    def padded(self, length: int) -> "Series":
        """Pad to at least `length` steps, with missing values at the end.

        Only for series in memory that have no times.
        """
        lacking = max(0, length - len(self))

        def pad(array: Any) -> Any:
            return None if array is None else np.pad(array, (0, lacking), mode="edge")

        values = np.pad(self.values, ((0, lacking), (0, 0)), constant_values=np.nan)
        return Series(values, self.name, pad(self.labels), None, pad(self.classes))

    @property
    def whole_name(self) -> str:
        """Name of the series that this one was cut out of, or its own."""
        return self.name if self.origin is None else self.origin

    @property
    def anomalous(self) -> NDArray[np.bool_]:
        """Which steps (N,) are labeled as anomalous."""
        if self.labels is None:
            return np.zeros(len(self), dtype=bool)
        return np.asarray(self.labels, dtype=bool).reshape(-1)

    @property
    def class_codes(self) -> NDArray[np.int64]:
        """Indices of the classes (N,), negative where there is none."""
        if self.classes is None:
            return np.full(len(self), -1)
        return np.asarray(self.classes, dtype=np.int64).reshape(-1)

    @property
    def classified(self) -> bool:
        """Whether every step has a known class."""
        return all((piece.class_codes >= 0).all() for piece in self.pieces())

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
        source: Configuration of the reader, with the columns and the array that were chosen.
        vocabulary: Meaning of the numbers of categories and classes.
        notes: What a user should know about how they were read, in sentences.
    """

    series: list[Series]
    channels: tuple[str, ...]
    source: ReaderConfig
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    notes: tuple[str, ...] = ()
