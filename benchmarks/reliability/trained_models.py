"""Models that are trained on known values, and what their promises are worth on fresh ones."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.detection.rvae_variants import trained
from rvae.data.series import Series
from rvae.evaluation.band_reliability import BandReliability
from rvae.evaluation.rates import Rate
from rvae.evaluation.reliability import Level, compare
from rvae.inference.engine import Engine
from rvae.scoring.blocks import Stretch
from rvae.scoring.calibration import Calibration
from rvae.scoring.thresholds import ThresholdRule

__all__ = ["ADAPT", "train_and_compare"]

ADAPT = 0.002  # as the documentation recommends


def train_and_compare(
    known: NDArray[np.float64],
    fresh: NDArray[np.float64],
    overrides: Mapping[str, Any],
    seed: int,
) -> dict[str, Any]:
    """Train on known values (N, C) with configs/detection.yaml, and compare with fresh ones.

    Args:
        known: All normal.
        fresh: All normal, later in the same series.
        overrides: Options by section and name.
        seed: Seed of the training.

    Returns:
        Window, number of blocks, whether the quantile was lowered, a list of `levels` with the
        model's own first, the `band`, and the level with thresholds that follow, `adapted`.
    """
    engine = trained(known, overrides, seed)
    card, calibration = engine.card, engine.card.calibration
    scored, band = _scored(engine, fresh)
    levels = compare(calibration, [scored], card.window, card.stride)
    return {
        "window": card.window,
        "blocks": calibration.blocks.count,
        "lowered": calibration.lowered,
        "levels": [_level(one) for one in levels],
        "band": None if band is None else _rate(band),
        "adapted": _level(_adapted(calibration, scored, card.window, card.stride)),
    }


def _scored(engine: Engine, values: NDArray[np.float64]) -> tuple[Stretch, Rate | None]:
    """Scores of the windows of normal values (N, C), and the rate of values beyond the band."""
    scores, starts, band = [], [], BandReliability(engine.card)
    for first, stretch, analysis in engine.scan([Series(values)]):
        band.add(stretch, analysis, np.zeros(len(analysis.starts), dtype=bool))
        scores.append(analysis.score)
        starts.append(first + analysis.starts)
    return Stretch(np.concatenate(scores), np.concatenate(starts)), band.rate


def _adapted(calibration: Calibration, scored: Stretch, window: int, stride: int) -> Level:
    """The model's own level, with a threshold that follows the scores."""
    thresholds = ThresholdRule(calibration, ADAPT).thresholds(scored.scores)
    # Windows are judged by their score less what the threshold has risen.
    shift = thresholds - calibration.threshold()
    followed = Stretch(scored.scores - shift, scored.starts)
    return compare(calibration, [followed], window, stride)[0]


def _level(level: Level) -> dict[str, Any]:
    return {
        "quantile": level.quantile,
        "verdict": level.verdict,
        "windows": _rate(level.windows),
        "events": _rate(level.events),
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "promised": rate.promised,
        "measured": rate.measured,
        "low": rate.low,
        "high": rate.high,
        "verdict": rate.verdict,
    }
