"""How good a model is: what it reconstructs, and what it detects."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    precision_recall_fscore_support,
    roc_auc_score,
)

__all__ = ["Detection", "ExplainedVariance", "active_units", "detection"]

# Burda, Grosse and Salakhutdinov 2016, "Importance weighted autoencoders", section 4.1.
ACTIVE_VARIANCE = 0.01


class ExplainedVariance:
    """Share of the windows' variance around their mean window that reconstructions explain.

    The mean window is the best that a decoder which ignores its latent can say: such a model
    gets 0, however well its curve looks.
    """

    def __init__(self) -> None:
        self._count = self._sum = self._squares = np.zeros(())  # of each step and channel
        self._left = 0.0

    def add(self, windows: NDArray[Any], reconstruction: NDArray[Any]) -> None:
        """Take in windows (W, T, C), NaN where missing, and their reconstructions (W, T, C)."""
        windows = windows.astype(np.float64)
        self._count = self._count + (~np.isnan(windows)).sum(axis=0)
        self._sum = self._sum + np.nansum(windows, axis=0)
        self._squares = self._squares + np.nansum(windows**2, axis=0)
        self._left += float(np.nansum((windows - reconstruction) ** 2))

    @property
    def value(self) -> float:
        """At most 1; NaN where the windows do not vary."""
        around_mean = (self._squares - self._sum**2 / np.maximum(self._count, 1)).sum()
        return float(1 - self._left / around_mean) if around_mean > 0 else float("nan")


def active_units(variance: NDArray[Any]) -> int:
    """Latent dimensions whose posterior mean has a variance over windows (D,) worth the name."""
    return int((variance > ACTIVE_VARIANCE).sum())


@dataclass(frozen=True)
class Detection:
    """How scores and flags agree with labels, each in [0, 1]."""

    auroc: float
    average_precision: float
    f1: float
    precision: float
    recall: float
    false_alarm_rate: float


def detection(
    labels: NDArray[np.bool_], scores: NDArray[np.float64], flags: NDArray[np.bool_]
) -> Detection:
    """Compare scores and flags with labels, all (W,) and the labels of both kinds."""
    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, flags, average="binary", zero_division=0.0
    )
    return Detection(
        auroc=float(roc_auc_score(labels, scores)),
        average_precision=float(average_precision_score(labels, scores)),
        f1=float(f1),
        precision=float(precision),
        recall=float(recall),
        false_alarm_rate=float(flags[~labels].mean()),
    )
