"""Series of any times → series on a regular grid of times."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.config.duration import duration, round_duration
from rvae.data.series import Dataset, Series
from rvae.data.stored import Spool, StoredArray
from rvae.data.time_steps import TimeSteps
from rvae.errors import require

__all__ = ["on_grid"]

# More steps for each row, and nine of ten values that a model sees would be missing.
MAX_STEPS_PER_ROW = 10

MICROSECOND = np.timedelta64(1, "us")


def on_grid(dataset: Dataset, every: str, steps: Sequence[TimeSteps | None]) -> Dataset:
    """Place the rows of every series on a grid whose steps begin at multiples of a length.

    A step has the mean of the numbers in it, the last of its categories and classes, and any of
    its labels. Where there is no row, the values are missing. Multiples are counted from
    1970-01-01T00:00, so that all files share one grid.

    Args:
        dataset: Series with times that rise; those on disk stay on disk.
        every: Length of a step, see `rvae.config.duration`.
        steps: The time steps of each series, for proposals.

    Raises:
        FieldError: If there are more than ten steps for each row.
    """
    length = int(duration(every, "reader.every") / MICROSECOND)
    categorical = np.array([name in dataset.vocabulary.categories for name in dataset.channels])
    for series, its in zip(dataset.series, steps, strict=True):
        first, last = (_place(series, step, length) for step in (0, len(series) - 1))
        count = last - first + 1
        proposal = "" if its is None else f": try --reader.every {round_duration(its.usual)}"
        require(
            count <= MAX_STEPS_PER_ROW * len(series),
            "reader.every",
            f"{every} makes {count} steps of the {len(series)} rows of series {series.name}, "
            f"more than {MAX_STEPS_PER_ROW} for each{proposal}",
        )
    stored = _Stored(len(dataset.channels))
    return replace(
        dataset,
        series=[
            (stored if isinstance(s.values, StoredArray) else _joined)(
                s.name, _blocks(s, length, categorical)
            )
            for s in dataset.series
        ],
    )


def _place(series: Series, step: int, length: int) -> int:
    """The step of the grid to which a row belongs."""
    return int(series.part(step, step + 1).clock()[0].astype(np.int64)) // length


def _blocks(series: Series, length: int, categorical: NDArray[np.bool_]) -> Iterator[Series]:
    """Consecutive stretches of a series on the grid, each small enough for memory."""
    rest: Series | None = None
    done: int | None = None  # the last step of the grid that is complete
    for piece in series.pieces():
        rows = _in_memory(piece) if rest is None else _joined("", [rest, _in_memory(piece)])
        places = rows.clock().astype(np.int64) // length
        # Later rows may belong to the last step.
        complete = int(np.searchsorted(places, places[-1]))
        rest = rows.part(complete, len(rows))
        if complete:
            yield _stretch(rows.part(0, complete), places[:complete], done, length, categorical)
            done = int(places[complete - 1])
    if rest is not None:
        places = rest.clock().astype(np.int64) // length
        yield _stretch(rest, places, done, length, categorical)


def _stretch(
    rows: Series,
    places: NDArray[np.int64],
    done: int | None,
    length: int,
    categorical: NDArray[np.bool_],
) -> Series:
    """The steps of the grid after `done`, from rows and the step of each of them."""
    first = places[0] if done is None else done + 1
    count = int(places[-1] - first) + 1
    starts = np.flatnonzero(np.diff(places, prepend=places[0] - 1))
    filled = places[starts] - first  # (F,), steps with rows
    values = np.asarray(rows.values)
    there = ~np.isnan(values)
    result = np.full((count, values.shape[1]), np.nan)
    with np.errstate(invalid="ignore"):
        observed = np.add.reduceat(there, starts, axis=0, dtype=np.int64)
        total = np.add.reduceat(np.where(there, values, 0.0), starts, axis=0)
        result[filled] = total / observed
    last = _last(there[:, categorical], starts)  # (F, K), rows of the last categories
    columns = np.flatnonzero(categorical)
    result[np.ix_(filled, columns)] = np.where(last < 0, np.nan, values[last, columns])
    labels = classes = None
    if rows.labels is not None:
        labels = np.zeros(count, dtype=bool)
        labels[filled] = np.logical_or.reduceat(rows.anomalous, starts)
    if rows.classes is not None:
        codes = rows.class_codes
        classes = np.full(count, -1)
        row = _last(codes[:, None] >= 0, starts)[:, 0]
        classes[filled] = np.where(row < 0, -1, codes[row])
    times = ((first + np.arange(count)) * length).view("datetime64[us]")
    return Series(result, "", labels, times, classes)


def _last(there: NDArray[np.bool_], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row of the last true entry of each column in each group (F, K), -1 where there is none."""
    rows = np.where(there, np.arange(len(there))[:, None], -1)
    return np.maximum.reduceat(rows, starts, axis=0)


def _in_memory(series: Series) -> Series:
    """A stretch with arrays of one form, wherever they were."""
    return Series(
        np.asarray(series.values, dtype=np.float64),
        series.name,
        None if series.labels is None else series.anomalous,
        series.clock(),
        None if series.classes is None else series.class_codes,
    )


def _joined(name: str, stretches: Iterator[Series] | Sequence[Series]) -> Series:
    """Stretches in memory as one series."""
    some = list(stretches)

    def join(attribute: str) -> Any:
        arrays = [getattr(one, attribute) for one in some]
        return None if arrays[0] is None else np.concatenate(arrays)

    return Series(join("values"), name, join("labels"), join("times"), join("classes"))


class _Stored:
    """Writes stretches one after another into files that all series share."""

    def __init__(self, channels: int) -> None:
        # The number of open files is limited.
        self._values = Spool(channels)
        self._others = {
            "labels": Spool(1, np.bool_),
            "times": Spool(1, np.int64),
            "classes": Spool(1, np.int64),
        }

    def __call__(self, name: str, stretches: Iterator[Series]) -> Series:
        """The stretches as one series on disk."""
        first = len(self._values.stored())
        for stretch in stretches:
            self._values.append(np.asarray(stretch.values))
            for attribute, spool in self._others.items():
                column = getattr(stretch, attribute)
                if column is not None:
                    spool.append(column[:, None])
        labels, times, classes = (
            spool.stored()[first:] if len(spool.stored()) else None
            for spool in self._others.values()
        )
        return Series(self._values.stored()[first:], name, labels, times, classes)
