"""Results as the columns of a table: one row per window, time step or event."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.inference.card import ModelSpec
from rvae.scoring.events import Event

__all__ = [
    "Columns",
    "category_words",
    "channel_columns",
    "event_records",
    "point_records",
    "sample_records",
    "window_records",
]

Columns = dict[str, Any]


def window_records(
    series: Series, starts: NDArray[np.int64], window: int, columns: Mapping[str, NDArray[Any]]
) -> Columns:
    """One row per window: its position and its results.

    Args:
        series: The series of the windows.
        starts: First step of each window (W,).
        window: Time steps T of a window.
        columns: Results per window (W, ...), or without axes a single one for all windows.
    """
    results = {
        name: np.full(len(starts), values) if values.ndim == 0 else values
        for name, values in columns.items()
    }
    return _place(series, starts) | {"start": starts, "end": starts + window} | results


def point_records(series: Series, columns: Mapping[str, Any]) -> Columns:
    """One row per time step: its position and its results (N,)."""
    steps = np.arange(len(series))
    return _place(series, steps) | {"step": steps} | dict(columns)


def event_records(series: Series, events: Sequence[Event]) -> Columns:
    """One row per event: its position, its severity, and its most anomalous channel.

    Its times, if there are any, have the names of those of `event_json` in the contract; `time` is
    that of its start, as in the other tables.
    """
    starts, ends, peaks = (
        np.array([getattr(event, name) for event in events], dtype=np.int64)
        for name in ("start", "end", "peak")
    )
    times: Columns = {}
    if series.times is not None:
        times["start_time"], times["last_time"] = _times(series, starts), _times(series, ends - 1)
        times["peak_time"] = _times(series, peaks)
    # An event in which nothing was observed has no channel.
    leading = [event.channels[0] if event.channels else (None, np.nan) for event in events]
    return _place(series, starts) | {
        "start": starts,
        "end": ends,
        "peak": peaks,
        "score": np.array([event.score for event in events], dtype=np.float64),
        "severity": np.array([event.severity for event in events], dtype=np.float64),
        "tail_probability": np.array(
            [event.tail_probability for event in events], dtype=np.float64
        ),
        "persistent": np.array([event.persistent for event in events], dtype=bool),
        "channel": np.array([name for name, _ in leading], dtype=object),
        "channel_score": np.array([score for _, score in leading], dtype=np.float64),
        **times,
    }


def sample_records(card: ModelSpec, samples: NDArray[np.float64]) -> Columns:
    """One row per time step of windows (S, T, C) that a model has drawn."""
    count, steps, _ = samples.shape
    return {
        "series": np.repeat(np.arange(count).astype(str).astype(object), steps),
        "step": np.tile(np.arange(steps), count),
        **channel_columns(card, samples.reshape(count * steps, -1)),
    }


def channel_columns(card: ModelSpec, values: NDArray[np.float64], suffix: str = "") -> Columns:
    """Values (N, C) as one column per channel, categories as words."""
    return {
        f"{name}{suffix}": column
        for name, column in zip(card.channels, category_words(card, values), strict=True)
    }


def category_words(card: ModelSpec, values: NDArray[np.float64]) -> list[NDArray[Any]]:
    """Each channel (N,) of values (N, C), with words for the numbers of categories."""
    columns: list[NDArray[Any]] = []
    for name, column in zip(card.channels, values.T, strict=True):
        if name in card.vocabulary.categories:
            words = np.array([None, *card.vocabulary.categories[name]], dtype=object)
            column = words[np.nan_to_num(column).astype(np.int64)]
        columns.append(column)
    return columns


def _place(series: Series, steps: NDArray[np.int64]) -> Columns:
    """Name of the series, and times of the steps, if there are any."""
    times = {} if series.times is None else {"time": _times(series, steps)}
    return {"series": np.full(len(steps), series.name, dtype=object)} | times


def _times(series: Series, steps: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Times of steps; of a series on disk only the stretch that they lie in is read."""
    begin, end = (int(steps.min()), int(steps.max()) + 1) if len(steps) else (0, 0)
    return series.part(begin, end).clock()[steps - begin]
