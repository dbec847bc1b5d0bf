"""Windows of series, cut on demand."""

from collections.abc import Iterator, Sequence
from copy import copy
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvae.data.calendar import calendar_features
from rvae.data.scaler import Scaler
from rvae.data.series import Series
from rvae.data.windows import count_windows

__all__ = ["WINDOWS_PER_BATCH", "Batch", "WindowDataset"]

# Large enough to fill the matrix units of a processor, small enough that hidden states of long
# windows stay within its caches and a GPU's memory.
WINDOWS_PER_BATCH = 256


class Batch(NamedTuple):
    """Windows, with their times and classes.

    Attributes:
        x: Scaled values (B, T, C), NaN where missing.
        time: Calendar features of the steps (B, T, K), where K may be 0.
        label: Index of each window's class (B,), negative where the class is unknown.
    """

    x: NDArray[np.float32]
    time: NDArray[np.float32]
    label: NDArray[np.int64]


class WindowDataset:
    """All windows of some series.

    It holds references to the series only, which may be larger than memory.

    Args:
        series: At least one, each at least a window long.
        scaler: Scaler of the model.
        window: Time steps T.
        strides: Steps between the starts of neighbouring windows, for each series or for all.
        calendar: Cycles of the calendar features.

    Attributes:
        series: As given, also of a subset of their windows.
    """

    def __init__(
        self,
        series: Sequence[Series],
        scaler: Scaler,
        window: int,
        strides: Sequence[int] | int,
        calendar: Sequence[str],
    ) -> None:
        self.series = series
        self._scaler = scaler
        self._window = window
        self._strides = np.full(len(series), strides)
        self._calendar = calendar
        lengths = [len(s) for s in series]
        counts = (
            count_windows(length, window, stride)
            for length, stride in zip(lengths, self._strides.tolist(), strict=True)
        )
        self._lengths = np.array(lengths)
        self._firsts = np.array([0, *accumulate(counts)])
        self._chosen: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return int(self._firsts[-1]) if self._chosen is None else len(self._chosen)

    def subset(self, chosen: NDArray[np.int64]) -> "WindowDataset":
        """The windows with these indices."""
        some = copy(self)
        some._chosen = chosen if self._chosen is None else self._chosen[chosen]
        return some

    def __getitems__(self, indices: Sequence[int] | NDArray[np.int64]) -> Batch:
        """The windows with these indices as one batch, in the form that DataLoader calls."""
        owners, starts = self._places(np.asarray(indices))
        cut = [
            self.series[owner].part(start, start + self._window)
            for owner, start in zip(owners.tolist(), starts.tolist(), strict=True)
        ]
        values = np.stack([np.asarray(s.values) for s in cut])  # (B, T, C)
        return Batch(self._scaler.transform(values), self._time(cut), _labels(cut))

    def evenly_spaced(self, count: int) -> NDArray[np.int64]:
        """Indices of at most `count` windows, evenly spaced among all of them, ascending."""
        return np.linspace(0, len(self) - 1, min(len(self), count), dtype=np.int64)

    @property
    def segments(self) -> int:
        """Number of stretches of a window's length in which windows start, at least one a series.

        It is the number of windows that tell something of their own, at the most.
        """
        steps = np.maximum(self._window, self._strides)
        starting = self._lengths - self._window + self._strides  # with the steps after the last one
        return int(np.maximum(1, starting // steps).sum())

    def runs(self, most: int, length: int) -> list[NDArray[np.int64]]:
        """Indices of neighbouring windows of one series, in runs that hold at most `most` in all.

        They are all windows, in a run for each series; or if these are more than `most`, some runs
        that are evenly spaced among all of them.

        Args:
            most: Maximum number of windows.
            length: Number of windows of a run, if not all of them are chosen.
        """
        windows = np.arange(len(self)) if self._chosen is None else self._chosen
        owners = np.searchsorted(self._firsts, windows, side="right") - 1
        runs = np.split(np.arange(len(self)), np.flatnonzero(np.diff(owners)) + 1)
        if len(self) <= most:
            return runs
        pieces = [p for run in runs for p in np.split(run, range(length, len(run), length))]
        longest = max(map(len, pieces))
        chosen = np.linspace(0, len(pieces) - 1, max(1, min(most // longest, len(pieces))))
        return [pieces[i] for i in chosen.astype(int)]

    def starts(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """First step of each window (W,) in its series."""
        return self._places(indices)[1]

    def batches(self, most: int | None = None) -> Iterator[Batch]:
        """Windows in order, in batches small enough for memory.

        Args:
            most: Maximum number of windows, evenly spaced among all of them; all if left out.
        """
        chosen = np.arange(len(self)) if most is None else self.evenly_spaced(most)
        for indices in np.split(chosen, range(WINDOWS_PER_BATCH, len(chosen), WINDOWS_PER_BATCH)):
            yield self.__getitems__(indices)

    def count_observed(self, windows: int) -> int:
        """Number of windows that hold a value, counted up to `windows`."""
        found = 0
        for batch in self.batches():
            found += int((~np.isnan(batch.x)).any((1, 2)).sum())
            if found >= windows:
                return windows
        return found

    def _places(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The number of the series of each window (W,), and its first step in it (W,)."""
        windows = indices if self._chosen is None else self._chosen[indices]
        owners = np.searchsorted(self._firsts, windows, side="right") - 1
        last = self._lengths[owners] - self._window
        return owners, np.minimum((windows - self._firsts[owners]) * self._strides[owners], last)

    def _time(self, cut: Sequence[Series]) -> NDArray[np.float32]:
        if not self._calendar:
            return np.zeros((len(cut), self._window, 0), dtype=np.float32)
        return calendar_features(np.stack([s.clock() for s in cut]), self._calendar)


def _labels(cut: Sequence[Series]) -> NDArray[np.int64]:
    """Most frequent class of each window's steps (B,), the lowest in a tie; -1 for no class."""
    return np.array(
        [
            -1 if s.classes is None else int(np.bincount(s.class_codes + 1).argmax()) - 1
            for s in cut
        ],
        dtype=np.int64,
    )
