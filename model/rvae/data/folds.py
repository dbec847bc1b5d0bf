"""Folds: parts of the data that one further model each has not seen.

Cross-conformal prediction (Vovk 2015, "Cross-conformal predictors"; Barber et al. 2021, "Predictive
inference with the jackknife+", section 3): every normal window is scored by a model that was
trained without it, so that no data must be held out from the final model.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from rvae.config import DataConfig
from rvae.data.pieces import Pieces, steps_of, take_last, without_first, without_last
from rvae.data.series import Series
from rvae.data.windows import (
    MIN_HALF_WINDOWS,
    Splits,
    count_windows,
    cuts_in_time,
    enough_to_train,
    in_order,
    long_enough_wholes,
    normal_stretches,
)
from rvae.errors import FieldError, require

__all__ = ["can_leave_out", "leave_out"]

# Length of what is left to train on, in windows. From less, a model scores all that it has not seen
# so high that a threshold from these scores finds nothing.
MIN_WINDOWS = 3


def leave_out(
    series: Sequence[Series], config: DataConfig, window: int, seed: int, folds: int
) -> list[Splits]:
    """The data without each fold in turn, in the order of time; a fold is the calibration part.

    The starts of all normal windows of a series are divided into stretches of time, one for each
    fold. No point of its windows is in its training or validation. There is no gap beyond that, and
    none between these two: each would keep data from the models of folds that the final model has,
    so that their scores, and the threshold, would be too high. A series that is too short for that
    belongs to a single fold as a whole, and to the training part of the others. If whole series are
    assigned to parts, so they are to folds.

    Args:
        series: The series.
        config: Configuration of the split.
        window: Time steps of a window.
        seed: Seed of a random split.
        folds: Number of folds F, at least 2.

    Returns:
        Up to F splits: without those whose fold holds no normal window.

    Raises:
        FieldError: If too little would be left to train on.
    """
    wholes = long_enough_wholes(series, window)
    if not cuts_in_time(wholes, config):
        return _dealt(wholes, config, window, seed, folds)
    parts: list[tuple[Pieces, Pieces, Pieces]] = [([], [], []) for _ in range(folds)]
    turn = 0
    for whole in wholes:
        cut = _cut(whole, config, window, folds)
        if cut is None:
            cut = [(whole, [], [])] * folds
            cut[turn % folds] = ([], [], whole)
            turn += 1
        for part, more in zip(parts, cut, strict=True):
            for pieces, further in zip(part, more, strict=True):
                pieces += further
    left = [_normal(part, config, window, at_end=False) for part in parts]
    left = [fold for fold in left if fold.calibration]
    if not all(fold.training and fold.validation for fold in left):
        raise _too_short(max(wholes, key=steps_of), config, window, folds)
    return left


def can_leave_out(whole: Pieces, config: DataConfig, window: int, folds: int) -> bool:
    """Whether a series that is cut in time, anomalies or not, is long enough for the folds."""
    normal = [replace(piece, labels=None) for piece in whole]
    return _cut(normal, config, window, folds) is not None


def _dealt(
    wholes: Sequence[Pieces], config: DataConfig, window: int, seed: int, folds: int
) -> list[Splits]:
    """Folds of whole series."""
    require(
        folds <= len(wholes) and len(wholes) > 2,
        "training.folds",
        f"is {folds}, but there are only {len(wholes)} series: "
        + (f"at most {len(wholes)} folds are possible" if len(wholes) > 2 else "must be 1"),
    )
    order = in_order(wholes, config, seed)
    left = []
    for places in np.array_split(np.arange(len(order)), folds):
        rest = order[: places[0]] + order[places[-1] + 1 :]
        training = len(rest) - max(1, round(config.validation * len(rest)))
        parts = (rest[:training], rest[training:], order[places[0] : places[-1] + 1])
        pieces = tuple([piece for whole in part for piece in whole] for part in parts)
        left.append(_normal(pieces, config, window, at_end=True))
    left = [fold for fold in left if fold.calibration]
    require(
        all(fold.training and fold.validation for fold in left),
        "training.folds",
        f"is {folds}, but without one of the folds no normal window of {window} steps is left for "
        "training or validation: give more data, or set it to 1",
    )
    return left


def _normal(parts: Sequence[Pieces], config: DataConfig, window: int, at_end: bool) -> Splits:
    return Splits(*(normal_stretches(part, window, config.stride, at_end) for part in parts))


def _cut(
    whole: Pieces, config: DataConfig, window: int, folds: int
) -> list[tuple[Pieces, Pieces, Pieces]] | None:
    """Training, validation and the fold, for each fold of a series; None if it is too short."""
    stretches: list[tuple[int, Series]] = []  # with the number of steps before each
    for passed, piece in zip(accumulate(map(len, whole), initial=0), whole, strict=False):
        for stretch in normal_stretches([piece], window, config.stride, at_end=False):
            stretches.append((passed + stretch.first - piece.first, stretch))
    counts = [count_windows(len(stretch), window, config.stride) for _, stretch in stretches]
    if sum(counts) < folds:
        return None
    firsts = np.cumsum([0, *counts])
    borders = _borders(int(firsts[-1]), folds, -(-window // config.stride))
    cut = []
    for low, high in pairwise(borders):
        fold, begin, end = Pieces(), steps_of(whole), 0
        for first, (passed, stretch) in zip(firsts, stretches, strict=False):
            here = _with_windows(stretch, low - first, high - first, window, config.stride)
            if here is not None:
                fold.append(here)
                at = passed + here.first - stretch.first
                begin, end = min(begin, at), at + len(here)
        before = without_last(whole, steps_of(whole) - begin)
        rest = _rest([*before, *without_first(whole, end)], config, window)
        if rest is None:
            return None
        cut.append((*rest, fold))
    return cut


def _borders(windows: int, folds: int, together: int) -> NDArray[np.int64]:
    """Numbers of the first windows of all folds, and of the one after the last (F + 1,).

    A fold has a multiple of `together` windows, which start within a window, if there are enough:
    a rest would be no evidence of its own.
    """
    unit = together if windows >= folds * together else 1
    borders = np.linspace(0, windows / unit, folds + 1).round().astype(np.int64) * unit
    borders[-1] = windows
    return borders


def _with_windows(stretch: Series, low: int, high: int, window: int, stride: int) -> Series | None:
    """The stretch of the windows with these numbers; None if it has none of them."""
    low, high = max(low, 0), min(high, count_windows(len(stretch), window, stride))
    return stretch.part(low * stride, (high - 1) * stride + window) if low < high else None


def _rest(rest: Pieces, config: DataConfig, window: int) -> tuple[Pieces, Pieces] | None:
    """Training and validation of what lies around a fold; None if it is too short."""
    least = MIN_HALF_WINDOWS * window // 2
    steps = max(round(config.validation * steps_of(rest)), least)
    training, validation = take_last(rest, steps, window, config.stride)
    held_out = any(len(piece) >= window for piece in validation)
    enough = enough_to_train(training, window, MIN_WINDOWS)
    return (training, validation) if held_out and enough else None


def _too_short(longest: Pieces, config: DataConfig, window: int, folds: int) -> FieldError:
    """The error, which says what would be possible."""
    others = [n for n in range(2, folds) if can_leave_out(longest, config, window, n)]
    shorter = [w for w in range(window - 1, 1, -1) if can_leave_out(longest, config, w, folds)]
    ways = (
        ([f"at most {others[-1]} folds"] if others else [])
        + ([f"data.window {shorter[0]}"] if shorter else [])
        + ["more normal data", "training.folds 1"]
    )
    return FieldError(
        "training.folds",
        f"is {folds}, but without one of the folds too little of {steps_of(longest)} steps is left "
        f"for training and validation with windows of {window}. Possible: {', or '.join(ways)}",
    )
