"""Series → windows, in parts that share no point."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.config import DataConfig
from rvae.data.series import Series
from rvae.errors import FieldError, require

__all__ = ["Parts", "chunks", "count_windows", "split", "window_starts", "window_view"]

# With fewer series than this, dealing out whole ones leaves parts too small to judge by.
SERIES_WORTH_DEALING = 20

# In half windows: a part of one window would hold a single one, however dense they are.
LEAST_OF_A_PART = 3


def window_starts(length: int, window: int, stride: int) -> NDArray[np.int64]:
    """First steps (W,) of the windows of a series.

    A last window at the very end joins those that the stride gives, so that every point is
    covered wherever the stride is at most a window.
    """
    count = count_windows(length, window, stride)
    return np.minimum(np.arange(count) * stride, length - window)


def count_windows(length: int, window: int, stride: int) -> int:
    """How many windows `window_starts` gives."""
    return -(-(length - window) // stride) + 1


def chunks(series: Series, window: int, stride: int, windows: int) -> Iterator[tuple[int, Series]]:
    """Stretches of a series of at most so many windows each, and the step each of them begins at.

    Together they have exactly the windows of the series. What is worked through slab by slab needs
    no more memory for a long series than for a short one.
    """
    starts = range(0, count_windows(len(series), window, stride), windows)
    for first in starts:
        end = (first + windows - 1) * stride + window
        # The last window may start before the stride would have it.
        begin = min(first * stride, len(series) - window)
        yield begin, series.part(begin, min(end, len(series)))


def window_view(values: NDArray[Any], window: int) -> NDArray[Any]:
    """All windows (N-T+1, T, C) of a series (N, C), as a view that costs no memory."""
    return np.lib.stride_tricks.sliding_window_view(values, window, axis=0).swapaxes(1, 2)


@dataclass(frozen=True)
class Parts:
    """What a model learns from, is chosen by, and is calibrated on."""

    training: list[Series]
    validation: list[Series]
    calibration: list[Series]


def split(series: Sequence[Series], config: DataConfig, window: int, seed: int) -> Parts:
    """Deal out time or whole series before any window is cut.

    Cut in time, a series is training, gap, validation, gap, calibration, in this order, where a
    gap is as long as a window: no window of one part touches a point of another, and neighbours
    are a window apart. A share is at least a window and a half. A series in which training
    would have less than two windows is training as a whole. Anomalous stretches are removed from
    every part.

    Raises:
        FieldError: If a part would hold no window.
    """
    for s in series:
        require(
            len(s) >= window,
            "data.window",
            f"{window} steps, but series {s.name} has only {len(s)}",
        )
    how = config.split
    if how == "auto":
        how = "random" if len(series) >= SERIES_WORTH_DEALING else "time"
    if how == "time":
        parts = _cut_in_time(series, config, window)
    else:
        order = np.random.default_rng(seed).permutation(len(series))
        parts = _deal([series[i] for i in order] if how == "random" else series, config)
    normal = Parts(*(_without_anomalies(part, window) for part in parts))
    for name in ("training", "validation", "calibration"):
        if not getattr(normal, name):
            raise FieldError(
                "data",
                f"the {name} part holds no normal window of {window} steps: "
                "give more data or a shorter window",
            )
    return normal


def _deal(
    series: Sequence[Series], config: DataConfig
) -> tuple[list[Series], list[Series], list[Series]]:
    validation = round(config.validation * len(series))
    calibration = round(config.calibration * len(series))
    training = len(series) - validation - calibration
    return (
        list(series[:training]),
        list(series[training : training + validation]),
        list(series[training + validation :]),
    )


def _cut_in_time(
    series: Sequence[Series], config: DataConfig, window: int
) -> tuple[list[Series], list[Series], list[Series]]:
    parts: tuple[list[Series], list[Series], list[Series]] = ([], [], [])
    for s in series:
        usable = len(s) - 2 * window
        validation = max(round(config.validation * usable), LEAST_OF_A_PART * window // 2)
        calibration = max(round(config.calibration * usable), LEAST_OF_A_PART * window // 2)
        training = usable - validation - calibration
        if training < 2 * window:
            parts[0].append(s)  # too short to be cut, but not to be learnt from
            continue
        starts = (0, training + window, training + window + validation + window)
        for part, start, length in zip(
            parts, starts, (training, validation, calibration), strict=True
        ):
            part.append(s.part(start, start + length))
    return parts


def _without_anomalies(series: Sequence[Series], window: int) -> list[Series]:
    """The normal stretches that are long enough for a window."""
    stretches = []
    for s in series:
        if s.labels is None:
            stretches.append(s)
            continue
        for start, stop in _normal(s):
            if stop - start >= window:
                stretches.append(s.part(start, stop))
    return stretches


def _normal(series: Series) -> Iterator[tuple[int, int]]:
    """First step of each normal stretch of a series, and the one after its last."""
    passed, start = 0, None
    for piece in series.pieces():
        flags = np.concatenate([[start is None], piece.anomalous])
        for edge in passed + np.flatnonzero(np.diff(flags)):
            if start is None:
                start = int(edge)
            else:
                yield start, int(edge)
                start = None
        passed += len(piece)
    if start is not None:
        yield start, passed
