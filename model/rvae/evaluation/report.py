"""Evaluation of a model on series: explained variance, detection and reliability."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.data.windows import window_view, windows_with
from rvae.errors import require
from rvae.evaluation.band_reliability import BandReliability
from rvae.evaluation.detection import Detection, detection
from rvae.evaluation.metrics import ExplainedVariance
from rvae.evaluation.reliability import Reliability, compare, needs
from rvae.inference.analysis import Analysis
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from rvae.scoring.blocks import Stretch

__all__ = ["QUANTILES", "Report", "evaluate"]

QUANTILES = (0, 0.25, 0.5, 0.75, 0.99, 1)


@dataclass(frozen=True)
class Report:
    """Results of a model on some series.

    Attributes:
        windows: Number of windows with a score.
        unobserved: Number of windows without any value: they have no score, and are left out.
        anomalous: Number of windows with a score that have an anomalous step.
        threshold: Threshold of the model.
        flagged: Share of the windows with a score above the threshold.
        score_quantiles: Quantiles of the scores, at each of `QUANTILES`.
        explained_variance: Explained variance of normal windows; None without any.
        detection: None unless there are both normal and anomalous windows.
        reliability: Rates of flags and events of the normal windows, and what is promised of them;
            None without any.
    """

    windows: int
    unobserved: int
    anomalous: int
    threshold: float
    flagged: float
    score_quantiles: tuple[float, ...]
    explained_variance: float | None
    detection: Detection | None
    reliability: Reliability | None


def evaluate(engine: Engine, series: Sequence[Series], stride: int | None = None) -> Report:
    """Compare the scores of series with their labels, if there are any.

    Args:
        engine: The model.
        series: In the data's units, each with N ≥ T. Without labels all steps count as normal.
        stride: Steps between windows; the model's own if left out.

    Raises:
        FieldError: If a series does not fit the model, or no window has a value.
    """
    explained, band = ExplainedVariance(), BandReliability(engine.card)
    scores_of_stretches, labels_of_stretches = [], []
    normal: list[list[Stretch]] = []
    for first, stretch, analysis in engine.scan(series, stride):
        labels = windows_with(stretch.anomalous, analysis.starts, engine.card.window)
        _add_normal(explained, stretch, analysis, labels)
        band.add(stretch, analysis, labels)
        scores_of_stretches.append(analysis.score)
        labels_of_stretches.append(labels)
        if first == 0:  # a new series, which may have several stretches
            normal.append([])
        normal[-1].append(
            Stretch(np.where(labels, np.nan, analysis.score), first + analysis.starts)
        )
    scores, labels = np.concatenate(scores_of_stretches), np.concatenate(labels_of_stretches)
    observed = ~np.isnan(scores)
    require(bool(observed.any()), "data", "has no window with a value")
    unobserved = int((~observed).sum())
    scores, labels = scores[observed], labels[observed]
    threshold = engine.card.calibration.threshold()
    flags = scores > threshold
    return Report(
        windows=len(scores),
        unobserved=unobserved,
        anomalous=int(labels.sum()),
        threshold=threshold,
        flagged=float(flags.mean()),
        score_quantiles=tuple(np.quantile(scores, QUANTILES).tolist()),
        explained_variance=None if labels.all() else explained.value,
        detection=detection(labels, scores, flags) if 0 < labels.sum() < len(labels) else None,
        reliability=None if labels.all() else _reliability(engine.card, normal, stride, band),
    )


def _reliability(
    card: Card,
    normal: Sequence[Sequence[Stretch]],
    stride: int | None,
    band: BandReliability,
) -> Reliability:
    """What is promised of windows, and what happened to those of each series."""
    calibration = card.calibration
    whole = [
        Stretch(
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.starts for part in parts]),
        )
        for parts in normal
    ]
    return Reliability(
        tuple(compare(calibration, whole, card.window, stride or card.stride)),
        band.rate,
        1 - calibration.largest_quantile,
        calibration.fewest_events_per_step,
        tuple(needs(calibration, card.interval)),
        card.interval,
    )


def _add_normal(
    explained: ExplainedVariance, series: Series, analysis: Analysis, labels: NDArray[np.bool_]
) -> None:
    """Add windows that are normal and have a value."""
    normal = ~labels & ~np.isnan(analysis.score)
    if normal.any():
        scaler = analysis.card.scaler
        values = window_view(np.asarray(series.values), analysis.card.window)[analysis.starts]
        windows = scaler.one_hot(scaler.transform(values[normal]))
        explained.add(windows, analysis.mean[normal])
