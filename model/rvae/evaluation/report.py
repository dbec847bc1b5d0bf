"""Evaluation of a model on series: explained variance and detection."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.data.windows import window_view, windows_with
from rvae.errors import require
from rvae.evaluation.detection import Detection, detection
from rvae.evaluation.metrics import ExplainedVariance
from rvae.inference.analysis import Analysis
from rvae.inference.engine import Engine

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
    """

    windows: int
    unobserved: int
    anomalous: int
    threshold: float
    flagged: float
    score_quantiles: tuple[float, ...]
    explained_variance: float | None
    detection: Detection | None


def evaluate(engine: Engine, series: Sequence[Series], stride: int | None = None) -> Report:
    """Compare the scores of series with their labels, if there are any.

    Args:
        engine: The model.
        series: In the data's units, each with N ≥ T. Without labels all steps count as normal.
        stride: Steps between windows; the model's own if left out.

    Raises:
        FieldError: If a series does not fit the model, or no window has a value.
    """
    explained = ExplainedVariance()
    scores_of_stretches, labels_of_stretches = [], []
    for _, stretch, analysis in engine.scan(series, stride):
        labels = windows_with(stretch.anomalous, analysis.starts, engine.card.window)
        _add_normal(explained, stretch, analysis, labels)
        scores_of_stretches.append(analysis.score)
        labels_of_stretches.append(labels)
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
