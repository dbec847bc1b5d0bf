"""Metrics of detection: scores and flags of windows, compared with labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    precision_recall_fscore_support,
    roc_auc_score,
)

__all__ = ["Detection", "detection"]


@dataclass(frozen=True)
class Detection:
    """Metrics of scores and flags, compared with labels, each in [0, 1].

    Attributes:
        auroc: Area under the receiver operating characteristic of the scores.
        average_precision: Area under the curve of precision and recall of the scores.
        f1: F1 of the flags.
        precision: Precision of the flags.
        recall: Recall of the flags.
        false_alarm_rate: Share of the normal windows that are flagged.
    """

    auroc: float
    average_precision: float
    f1: float
    precision: float
    recall: float
    false_alarm_rate: float


def detection(
    labels: NDArray[np.bool_], scores: NDArray[np.float64], flags: NDArray[np.bool_]
) -> Detection:
    """Compare scores (W,) and flags (W,) with labels (W,), of which some but not all are true."""
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
