"""Metrics of detection: scores and flags of windows, compared with labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from rvae.evaluation.class_report import ClassReport, class_report

__all__ = ["Detection", "detection"]


@dataclass(frozen=True)
class Detection:
    """Metrics of scores and flags, compared with labels, each in [0, 1].

    Attributes:
        auroc: Area under the receiver operating characteristic of the scores.
        average_precision: Area under the curve of precision and recall of the scores.
        report: The flags, as predictions of the classes "normal" and "anomalous".
    """

    auroc: float
    average_precision: float
    report: ClassReport

    @property
    def precision(self) -> float:
        """Precision of the flags."""
        return self.report.metrics[1].precision

    @property
    def recall(self) -> float:
        """Recall of the flags."""
        return self.report.metrics[1].recall

    @property
    def f1(self) -> float:
        """F1 of the flags."""
        return self.report.metrics[1].f1

    @property
    def false_alarm_rate(self) -> float:
        """Share of the normal windows that are flagged."""
        return self.report.confusion[0][1] / self.report.metrics[0].support


def detection(
    labels: NDArray[np.bool_], scores: NDArray[np.float64], flags: NDArray[np.bool_]
) -> Detection:
    """Compare scores (W,) and flags (W,) with labels (W,), of which some but not all are true."""
    return Detection(
        auroc=float(roc_auc_score(labels, scores)),
        average_precision=float(average_precision_score(labels, scores)),
        report=class_report(labels.astype(int), flags.astype(int), ("normal", "anomalous")),
    )
