"""Series → windows, in parts that share no point."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.config import DataConfig
from rvae.data.holes import long_enough
from rvae.data.pieces import Pieces, steps_of, take_last, together, without_last
from rvae.data.series import Series
from rvae.errors import FieldError, require

__all__ = [
    "Splits",
    "chunks",
    "count_windows",
    "min_training_steps",
    "normal_stretches",
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
    training as a whole. The pieces of a series with holes are cut, or assigned to a part, like the
    series; those that are shorter than a window are left out. Anomalous stretches are removed from
    every part.

    Raises:
        FieldError: If a part would hold no window.
    """
    series = long_enough(
        series,
        window,
        "data.window",
        ": give a shorter one, fill the holes by a regular grid, such as --reader.every 1min, or "
        "let windows reach over them with --reader.holes keep",
    )
    for s in series:
        require(
            len(s) >= window,
            "data.window",
            f"{window} steps, but series {s.name} has only {len(s)}",
        )
    wholes = together(series)
    if _is_cut_in_time(wholes, config):
        parts: Iterable[Iterable[Pieces]] = zip(
            *(_cut_in_time(whole, config, window) for whole in wholes), strict=True
        )
    else:
        parts = _deal(wholes, config, seed)
    normal = Splits(*(normal_stretches(chain.from_iterable(part), window) for part in parts))
    for name in ("training", "validation", "calibration"):
        if not getattr(normal, name):
            require(
                not all(piece.anomalous.all() for s in series for piece in s.pieces()),
                "reader.label",
                "marks every step as an anomaly: what is normal must be zero or false",
            )
            raise FieldError(
                "data",
                f"the {name} part holds no normal window of {window} steps: "
                "give more data or a shorter window",
            )
    return normal


def training_candidates(series: Sequence[Series], config: DataConfig, seed: int) -> list[Pieces]:
    """The series with a training part, for any window."""
    wholes = together(series)
    return wholes if _is_cut_in_time(wholes, config) else _deal(wholes, config, seed)[0]


def min_training_steps(
    candidate: Pieces, series: Sequence[Series], config: DataConfig, max_window: int
) -> int:
    """Number of first steps of a candidate that belong to training for any window.

    Args:
        candidate: One of the candidates.
        series: All series.
        config: Configuration of the split.
        max_window: The longest window that may be chosen.
    """
    if not _is_cut_in_time(together(series), config):
        return steps_of(candidate)
    windows = range(2, max_window + 1)
    return min(steps_of(_cut_in_time(candidate, config, window)[0]) for window in windows)


def _is_cut_in_time(wholes: Sequence[Pieces], config: DataConfig) -> bool:
    """Whether each series is cut in time, instead of being assigned to a part as a whole."""
    if config.split == "auto":
        return len(wholes) < MIN_SERIES_TO_DEAL
    return config.split == "time"


def _deal(
    wholes: Sequence[Pieces], config: DataConfig, seed: int
) -> tuple[list[Pieces], list[Pieces], list[Pieces]]:
    if config.split != "order":
        order = np.random.default_rng(seed).permutation(len(wholes))
        wholes = [wholes[i] for i in order]
    validation = round(config.validation * len(wholes))
    calibration = round(config.calibration * len(wholes))
    training = len(wholes) - validation - calibration
    return (
        list(wholes[:training]),
        list(wholes[training : training + validation]),
        list(wholes[training + validation :]),
    )


def _cut_in_time(whole: Pieces, config: DataConfig, window: int) -> tuple[Pieces, Pieces, Pieces]:
    """Training, validation and calibration of a series, which may have holes."""
    lengths = _cut(steps_of(whole), config, window)
    if lengths is None:
        return whole, [], []  # too short to be cut, but long enough for training
    validation_steps, calibration_steps = lengths
    rest, calibration = take_last(whole, calibration_steps, window)
    rest, validation = take_last(without_last(rest, window), validation_steps, window)
    training = without_last(rest, window)
    usable = sum(len(piece) for piece in training if len(piece) >= window)
    # Holes may have cost too much.
    return (training, validation, calibration) if usable >= 2 * window else (whole, [], [])


def _cut(length: int, config: DataConfig, window: int) -> tuple[int, int] | None:
    """Steps of validation and calibration of a series; None if it is too short."""
    usable = length - 2 * window
    validation = max(round(config.validation * usable), MIN_HALF_WINDOWS * window // 2)
    calibration = max(round(config.calibration * usable), MIN_HALF_WINDOWS * window // 2)
    training = usable - validation - calibration
    return None if training < 2 * window else (validation, calibration)


def normal_stretches(series: Iterable[Series], window: int) -> list[Series]:
    """Normal stretches of at least a window."""
    stretches = []
    for s in series:
        if s.labels is None:
            stretches += [s] if len(s) >= window else []
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
