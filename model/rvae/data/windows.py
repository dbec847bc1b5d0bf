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
    "windows_with",
]

# With fewer series, parts of whole series are too small for evaluation.
MIN_SERIES_TO_DEAL = 20

# In half windows: a part as long as one window holds a single window at any stride.
MIN_HALF_WINDOWS = 3


def window_starts(length: int, window: int, stride: int) -> NDArray[np.int64]:
    """First steps (W,) of the windows of a series.

    A last window at the very end is added to those of the stride, so that every point is covered
    if the stride is at most a window.
    """
    count = count_windows(length, window, stride)
    return np.minimum(np.arange(count) * stride, length - window)


def count_windows(length: int, window: int, stride: int) -> int:
    """Number of windows of a series, see `window_starts`."""
    return -(-(length - window) // stride) + 1


def chunks(series: Series, window: int, stride: int, windows: int) -> Iterator[tuple[int, Series]]:
    """First step and stretch of each chunk of a series, of at most `windows` windows each.

    All chunks have exactly the windows of the series. Work on one chunk after another needs no
    more memory for a long series than for a short one.
    """
    starts = range(0, count_windows(len(series), window, stride), windows)
    for first in starts:
        end = (first + windows - 1) * stride + window
        # The last window may start earlier than a multiple of the stride.
        begin = min(first * stride, len(series) - window)
        yield begin, series.part(begin, min(end, len(series)))


def window_view(values: NDArray[Any], window: int) -> NDArray[Any]:
    """All windows (N-T+1, T, C) of a series (N, C), as a view that costs no memory."""
    return np.lib.stride_tricks.sliding_window_view(values, window, axis=0).swapaxes(1, 2)


def windows_with(
    flags: NDArray[np.bool_], starts: NDArray[np.int64], window: int
) -> NDArray[np.bool_]:
    """Which windows (W,) hold a flagged step, of flags (N,) and the windows' first steps (W,)."""
    before = np.concatenate([[0], np.cumsum(flags)])
    return before[starts + window] > before[starts]


@dataclass(frozen=True)
class Splits:
    """Parts of the data for training, model selection and calibration."""

    training: list[Series]
    validation: list[Series]
    calibration: list[Series]


def split(series: Sequence[Series], config: DataConfig, window: int, seed: int) -> Splits:
    """Split series, in time or into groups of whole series, before any window is cut.

    A series that is cut in time is training, gap, validation, gap, calibration, in this order. A
    gap is as long as a window: no window of one part shares a point with another part. A part is
    at least a window and a half long. A series with less than two windows left for training is
    training as a whole. Anomalous stretches are removed from every part.

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
    """The series with a training part, for any window."""
    return series if _is_cut_in_time(series, config) else _deal(series, config, seed)[0]


def min_training_steps(
    length: int, series: Sequence[Series], config: DataConfig, max_window: int
) -> int:
    """Number of first steps of a candidate that belong to training for any window.

    Args:
        length: Steps of the candidate.
        series: All series.
        config: Configuration of the split.
        max_window: The longest window that may be chosen.
    """
    if not _is_cut_in_time(series, config):
        return length
    cuts = (_cut(length, config, window) for window in range(2, max_window + 1))
    return min(length if cut is None else cut[0] for cut in cuts)


def _is_cut_in_time(series: Sequence[Series], config: DataConfig) -> bool:
    """Whether each series is cut in time, instead of being assigned to a part as a whole."""
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
            parts[0].append(s)  # too short to be cut, but long enough for training
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
    """Normal stretches of at least a window."""
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
    """First step of each normal stretch of a series, and the step after its last."""
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
