"""Series → windows, in parts that share no point."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.config import DataConfig
from rvae.data.series import Series
from rvae.errors import FieldError, require

__all__ = [
    "Splits",
    "chunks",
    "count_windows",
    "min_training_steps",
    "split",
    "training_candidates",
    "window_starts",
    "window_view",
]

# With fewer series than this, dealing out whole ones leaves parts too small to judge by.
MIN_SERIES_TO_DEAL = 20

# In half windows: a part of one window would hold a single one, however dense they are.
MIN_HALF_WINDOWS = 3


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
class Splits:
    """What a model learns from, is chosen by, and is calibrated on."""

    training: list[Series]
    validation: list[Series]
    calibration: list[Series]


def split(series: Sequence[Series], config: DataConfig, window: int, seed: int) -> Splits:
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
    if _is_cut_in_time(series, config):
        parts = _cut_in_time(series, config, window)
    else:
        parts = _deal(series, config, seed)
    normal = Splits(*(_without_anomalies(part, window) for part in parts))
    for name in ("training", "validation", "calibration"):
        if not getattr(normal, name):
            raise FieldError(
                "data",
                f"the {name} part holds no normal window of {window} steps: "
                "give more data or a shorter window",
            )
    return normal


def training_candidates(
    series: Sequence[Series], config: DataConfig, seed: int
) -> Sequence[Series]:
    """The series that training has something of, whatever the window."""
    return series if _is_cut_in_time(series, config) else _deal(series, config, seed)[0]


def min_training_steps(
    length: int, series: Sequence[Series], config: DataConfig, max_window: int
) -> int:
    """How many first steps of one of the candidates are training, whatever the window.

    Args:
        length: Steps of the candidate.
        series: All series.
        config: How they are split.
        max_window: The longest window that may be chosen.
    """
    if not _is_cut_in_time(series, config):
        return length
    cuts = (_cut(length, config, window) for window in range(2, max_window + 1))
    return min(length if cut is None else cut[0] for cut in cuts)


def _is_cut_in_time(series: Sequence[Series], config: DataConfig) -> bool:
    """Whether each series is cut, as opposed to whole ones being dealt out."""
    if config.split == "auto":
        return len(series) < MIN_SERIES_TO_DEAL
    return config.split == "time"


def _deal(
    series: Sequence[Series], config: DataConfig, seed: int
) -> tuple[list[Series], list[Series], list[Series]]:
    if config.split != "order":
        order = np.random.default_rng(seed).permutation(len(series))
        series = [series[i] for i in order]
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
        lengths = _cut(len(s), config, window)
        if lengths is None:
            parts[0].append(s)  # too short to be cut, but not to be learned from
            continue
        start = 0
        for part, length in zip(parts, lengths, strict=True):
            part.append(s.part(start, start + length))
            start += length + window
    return parts


def _cut(length: int, config: DataConfig, window: int) -> tuple[int, int, int] | None:
    """Steps of training, validation and calibration of a series; None if it is too short."""
    usable = length - 2 * window
    validation = max(round(config.validation * usable), MIN_HALF_WINDOWS * window // 2)
    calibration = max(round(config.calibration * usable), MIN_HALF_WINDOWS * window // 2)
    training = usable - validation - calibration
    return None if training < 2 * window else (training, validation, calibration)


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
