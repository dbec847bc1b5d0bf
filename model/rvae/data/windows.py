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
    "MIN_HALF_WINDOWS",
    "Splits",
    "chunks",
    "count_windows",
    "cut_in_time",
    "cuts_in_time",
    "enough_to_train",
    "in_order",
    "long_enough_wholes",
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
    """Parts of the data for training, model selection and calibration.

    Attributes:
        training: Stretches that a model is trained on.
        validation: Stretches that select its checkpoint.
        calibration: Stretches that it has not seen; empty if those of folds are scored instead, see
            `rvae.data.folds`.
    """

    training: list[Series]
    validation: list[Series]
    calibration: list[Series]


def split(
    series: Sequence[Series],
    config: DataConfig,
    window: int,
    seed: int,
    calibration: bool = True,
) -> Splits:
    """Split series, in time or into groups of whole series, before any window is cut.

    A series that is cut in time is training, gap, validation, gap, calibration, in this order. A
    gap is as long as a window: no window of one part shares a point with another part. A part is
    at least a window and a half long. A series with less than two windows left for training is
    training as a whole. The pieces of a series with holes are cut, or assigned to a part, like the
    series; those that are shorter than a window are left out. Anomalous stretches are removed from
    every part. Stretches begin at multiples of the stride, counted from the beginning of the series
    or piece: windows of all parts have the phases that windows of the whole series have.

    Args:
        series: The series.
        config: Configuration of the split.
        window: Time steps of a window.
        seed: Seed of a random split.
        calibration: Whether there is a calibration part.

    Raises:
        FieldError: If a part would hold no window.
    """
    wholes = long_enough_wholes(series, window)
    cut = cuts_in_time(wholes, config)
    if cut:
        parts: Iterable[Iterable[Pieces]] = zip(
            *(cut_in_time(whole, config, window, calibration) for whole in wholes), strict=True
        )
    else:
        parts = _deal(wholes, config, seed, calibration)
    normal = Splits(
        *(
            normal_stretches(chain.from_iterable(part), window, config.stride, at_end=not cut)
            for part in parts
        )
    )
    for name in ("training", "validation", "calibration")[: 3 if calibration else 2]:
        if not getattr(normal, name):
            require(
                not all(piece.anomalous.all() for s in series for piece in s.pieces()),
                "reader.label",
                "marks every step as an anomaly: what is normal must be zero or false",
            )
            raise FieldError(
                "data",
                f"the {name} part holds no normal window of {window} steps"
                + (f" at a multiple of the stride, {config.stride}" if config.stride > 1 else "")
                + ": give more data or a shorter window",
            )
    return normal


def long_enough_wholes(series: Sequence[Series], window: int) -> list[Pieces]:
    """The pieces of each series, without those that are shorter than a window.

    Raises:
        FieldError: If a series without holes is shorter than a window, or no piece is long enough.
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
    return together(series)


def training_candidates(
    series: Sequence[Series], config: DataConfig, seed: int, calibration: bool = True
) -> list[Pieces]:
    """The series with a training part, for any window."""
    wholes = together(series)
    if cuts_in_time(wholes, config):
        return wholes
    return _deal(wholes, config, seed, calibration)[0]


def min_training_steps(
    candidate: Pieces,
    series: Sequence[Series],
    config: DataConfig,
    max_window: int,
    calibration: bool = True,
) -> int:
    """Number of first steps of a candidate that belong to training for any window.

    Args:
        candidate: One of the candidates.
        series: All series.
        config: Configuration of the split.
        max_window: The longest window that may be chosen.
        calibration: Whether there is a calibration part.
    """
    if not cuts_in_time(together(series), config):
        return steps_of(candidate)
    windows = range(2, max_window + 1)
    return min(
        steps_of(cut_in_time(candidate, config, window, calibration)[0]) for window in windows
    )


def cuts_in_time(wholes: Sequence[Pieces], config: DataConfig) -> bool:
    """Whether each series is cut in time, instead of being assigned to a part as a whole."""
    if config.split == "auto":
        return len(wholes) < MIN_SERIES_TO_DEAL
    return config.split == "time"


def in_order(wholes: Sequence[Pieces], config: DataConfig, seed: int) -> list[Pieces]:
    """The series in the order in which they are assigned to parts."""
    if config.split == "order":
        return list(wholes)
    return [wholes[i] for i in np.random.default_rng(seed).permutation(len(wholes))]


def cut_in_time(
    whole: Pieces, config: DataConfig, window: int, calibration: bool = True
) -> tuple[Pieces, Pieces, Pieces]:
    """Training, validation and calibration of a series, which may have holes."""
    lengths = _cut(steps_of(whole), config, window, calibration)
    if lengths is None:
        return whole, [], []  # too short to be cut, but long enough for training
    validation_steps, calibration_steps = lengths
    rest, held_out = take_last(whole, calibration_steps, window, config.stride)
    if calibration:
        rest = without_last(rest, window)
    rest, validation = take_last(rest, validation_steps, window, config.stride)
    training = without_last(rest, window)
    # Holes may have cost too much.
    return (
        (training, validation, held_out) if enough_to_train(training, window) else (whole, [], [])
    )


def enough_to_train(training: Pieces, window: int, windows: int = 2) -> bool:
    """Whether stretches that hold windows are so many windows long in all."""
    return sum(len(piece) for piece in training if len(piece) >= window) >= windows * window


def _deal(
    wholes: Sequence[Pieces], config: DataConfig, seed: int, calibrated: bool
) -> tuple[list[Pieces], list[Pieces], list[Pieces]]:
    wholes = in_order(wholes, config, seed)
    validation = round(config.validation * len(wholes))
    calibration = round(config.calibration * len(wholes)) if calibrated else 0
    training = len(wholes) - validation - calibration
    return (
        wholes[:training],
        wholes[training : training + validation],
        wholes[training + validation :],
    )


def _cut(length: int, config: DataConfig, window: int, calibrated: bool) -> tuple[int, int] | None:
    """Steps of validation and calibration of a series; None if it is too short."""
    usable = length - (2 if calibrated else 1) * window
    least = MIN_HALF_WINDOWS * window // 2
    validation = max(round(config.validation * usable), least)
    calibration = max(round(config.calibration * usable), least) if calibrated else 0
    training = usable - validation - calibration
    return None if training < 2 * window else (validation, calibration)


def normal_stretches(
    series: Iterable[Series], window: int, stride: int, at_end: bool
) -> list[Series]:
    """Normal stretches of at least a window, which begin at multiples of the stride.

    Args:
        series: The series.
        window: Time steps of a window.
        stride: Steps between the starts of neighbouring windows.
        at_end: Whether the last window of a series may begin elsewhere, so that the end is covered.
    """
    stretches = []
    for s in series:
        for start, stop in [(0, len(s))] if s.labels is None else _normal(s):
            begin = start + -(s.first + start) % stride
            if stop - begin < window:
                continue
            if not (at_end and stop == len(s)):
                stop = begin + (stop - begin - window) // stride * stride + window
            stretches.append(s.part(begin, stop))
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
