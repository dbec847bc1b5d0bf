"""Calibrations of simulated scores, and what they promise about fresh ones of the same series.

There is no network: errors are drawn (see `benchmarks.reliability.series`), and the scores of
windows are computed from them as by the score "excess", with levels that training windows have.
Everything after that is the library's own: dependence, blocks, calibration and bands.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.reliability.series import Kind
from rvae.evaluation.reliability import event_begins
from rvae.scoring.bands import Residuals
from rvae.scoring.blocks import Blocks, Stretch, dependence_steps
from rvae.scoring.calibration import Calibration
from rvae.scoring.excess import largest, levels

__all__ = ["BANDS", "PLANS", "QUANTILES", "WINDOW", "Measurement", "measure"]

WINDOW = 32
QUANTILES = (0.95, 0.98, 0.99, 0.999)
BANDS = (0.9, 0.95, 0.99)
EVENTS_PER_STEP = 1e-4
OWN = 0.98  # asked for; lowered where the blocks cannot show it
SHARE = 0.15  # of validation and of calibration, as by default
FOLDS = 5
MAX_RESIDUAL_WINDOWS = 4_000  # of a calibration, as in training
MAX_DEPENDENT_SCORES = 20_000
MAX_LEVEL_WINDOWS = 8_000  # more would take longer, and hardly change the levels
TINY = 1e-9


class Measurement(NamedTuple):
    """What one calibration promises, and what happened.

    Attributes:
        promise: What is promised: "windows 0.95", "own", "events", "rarest events", "band 0.9".
        promised: The rate that is promised; NaN if nothing is.
        measured: The rate on fresh data; NaN if nothing is promised.
        blocks: Number of blocks of the calibration.
    """

    promise: str
    promised: float
    measured: float
    blocks: int


@dataclass(frozen=True)
class Evidence:
    """Scores and residuals of held-out windows, and the levels that fresh windows are scored by.

    Attributes:
        stretches: Scores of held-out windows.
        fitted: Scores of the windows that levels come from.
        residuals: Residuals of one channel in windows (W, T).
        level: Level of each channel (C,).
        successive: Whether the stretches follow each other.
    """

    stretches: Sequence[Stretch]
    fitted: Sequence[Sequence[Stretch]]
    residuals: NDArray[np.float64]
    level: NDArray[np.float64]
    successive: bool = False


def measure(
    kind: Kind, points: int, channels: int, fresh: int, random: np.random.Generator
) -> Iterator[tuple[str, Measurement]]:
    """Calibrate by N points of a new series, and compare with the next ones.

    Args:
        kind: Draws the series.
        points: Points N that are known: training, validation and calibration.
        channels: Channels C.
        fresh: Points of fresh data, a window after the known ones.
        random: Source of the series.

    Yields:
        The name of the plan, and a measurement.
    """
    errors = kind(random, points + WINDOW + fresh, channels)
    parts = window_means(errors**2)
    later = parts[points + WINDOW :]
    first_values = errors[:, 0]
    for name, plan in PLANS.items():
        evidence = plan(parts[: points - WINDOW + 1], first_values[:points])
        if evidence is None:
            continue
        time = dependence_steps([evidence.stretches, *evidence.fitted], stride=1)
        blocks = Blocks.fit(evidence.stretches, WINDOW, 1, time, evidence.successive)
        scores = largest(later, evidence.level)
        values = first_values[points + WINDOW :]
        for one in _measured(blocks, scores, evidence.residuals, values):
            yield name, one


def _measured(
    blocks: Blocks,
    scores: NDArray[np.float64],
    residuals: NDArray[np.float64],
    values: NDArray[np.float64],
) -> Iterator[Measurement]:
    """Promises of blocks, and their rates on fresh scores (W,) and values (N,)."""
    own = Calibration.fit(blocks, OWN)
    fresh = Stretch(scores, np.arange(len(scores)))
    count = blocks.count

    def windows(promise: str, quantile: float) -> Measurement:
        if quantile > own.largest_quantile + TINY:
            return Measurement(promise, np.nan, np.nan, count)
        flagged = float((scores > own.threshold(quantile)).mean())
        return Measurement(promise, 1 - quantile, flagged, count)

    def events(promise: str, per_step: float) -> Measurement:
        if per_step < own.fewest_events_per_step * (1 - TINY):
            return Measurement(promise, np.nan, np.nan, count)
        begins = event_begins(fresh, own.threshold_of_events(per_step), WINDOW)
        return Measurement(promise, per_step, float(begins.mean()), count)

    yield windows("own", own.quantile)
    for quantile in QUANTILES:
        yield windows(f"windows {quantile:g}", quantile)
    yield events("rarest events", own.fewest_events_per_step)
    yield events("events", EVENTS_PER_STEP)
    band = Residuals.fit(residuals.ravel().astype(np.float32), count)
    for quantile in BANDS:
        low, high = band.bounds(quantile) if quantile <= band.largest_quantile else (np.nan, np.nan)
        outside = float(((values < low) | (values > high)).mean())
        promised, measured = (np.nan, np.nan) if np.isnan(low) else (1 - quantile, outside)
        yield Measurement(f"band {quantile:g}", promised, measured, count)


def held_out(parts: NDArray[np.float64], values: NDArray[np.float64]) -> Evidence | None:
    """Levels from the beginning, and scores from the end, a window apart from each other."""
    length = max(round(SHARE * len(values)), 3 * WINDOW // 2)
    calibration = len(values) - length
    validation = calibration - WINDOW - length
    training_windows = validation - 2 * WINDOW + 1
    if training_windows < WINDOW:
        return None
    fitted = [parts[:training_windows], parts[validation : validation + length - WINDOW + 1]]
    level = levels(np.concatenate([evenly(part, MAX_LEVEL_WINDOWS // 2) for part in fitted]))
    return Evidence(
        [_stretch(parts[calibration:], level, calibration)],
        [[_stretch(part[:MAX_DEPENDENT_SCORES], level, 0)] for part in fitted],
        _windows(values[calibration:]),
        level,
    )


def folds(parts: NDArray[np.float64], values: NDArray[np.float64]) -> Evidence | None:
    """Scores of each fold with levels from the windows that share no point with its own."""
    borders = np.linspace(0, len(parts), FOLDS + 1).round().astype(int)
    if borders[1] < 1 or len(parts) - borders[1] - 2 * WINDOW < WINDOW:
        return None
    stretches = []
    for low, high in pairwise(borders.tolist()):
        before, after = parts[: max(0, low - WINDOW + 1)], parts[high + WINDOW - 1 :]
        rest = np.concatenate([before, after])
        stretches.append(_stretch(parts[low:high], levels(evenly(rest, MAX_LEVEL_WINDOWS)), low))
    level = levels(evenly(parts, MAX_LEVEL_WINDOWS))
    fitted = [[_stretch(parts[:MAX_DEPENDENT_SCORES], level, 0)]]
    return Evidence(stretches, fitted, _windows(values), level, successive=True)


PLANS = {"held out": held_out, "5 folds": folds}


def window_means(squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of squares (N, C) over windows (N - T + 1, C)."""
    sums = np.cumsum(squares, axis=0)
    sums[WINDOW:] -= sums[:-WINDOW].copy()
    return sums[WINDOW - 1 :] / WINDOW


def evenly(rows: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """At most so many rows, evenly spaced."""
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), most), dtype=int)]


def _stretch(parts: NDArray[np.float64], level: NDArray[np.float64], first: int) -> Stretch:
    return Stretch(largest(parts, level), np.arange(first, first + len(parts)))


def _windows(values: NDArray[np.float64]) -> NDArray[np.float64]:
    windows = np.lib.stride_tricks.sliding_window_view(values, WINDOW)
    return evenly(windows, MAX_RESIDUAL_WINDOWS)
