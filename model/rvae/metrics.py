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

__all__ = ["Detection", "active_units", "detection", "explained_variance"]

# Burda, Grosse and Salakhutdinov 2016, "Importance weighted autoencoders", section 4.1.
ACTIVE_VARIANCE = 0.01


def explained_variance(windows: NDArray[Any], reconstruction: NDArray[Any]) -> float:
    """Share of the windows' variance around their mean window that a reconstruction explains.

    The mean window is the best that a decoder which ignores its latent can say: such a model
    gets 0, however well its curve looks.

    Args:
        windows: (W, T, C), NaN where missing.
        reconstruction: (W, T, C).
    """
    around_mean = np.nansum((windows - np.nanmean(windows, axis=0)) ** 2, dtype=np.float64)
    left = np.nansum((windows - reconstruction) ** 2, dtype=np.float64)
    return float(1 - left / around_mean) if around_mean > 0 else float("nan")


def active_units(latent: NDArray[Any]) -> int:
    """Latent dimensions whose posterior mean (W, D) varies over the windows."""
    return int((latent.var(axis=0) > ACTIVE_VARIANCE).sum())


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
