"""Predicted classes, compared with true ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

__all__ = ["ClassMetrics", "ClassReport", "class_report"]


@dataclass(frozen=True)
class ClassMetrics:
    """Metrics of one class, each in [0, 1].

    Attributes:
        precision: Share of the windows predicted as this class that are of it; 0 without any.
        recall: Share of the windows of this class that are predicted as it; 0 without any.
        f1: Harmonic mean of both.
        support: Number of windows of this class.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class ClassReport:
    """Predictions of K classes.

    Attributes:
        classes: Names of the classes.
        metrics: Metrics of each class.
        confusion: Number of windows of each class (rows) and prediction (columns) (K, K).
    """

    classes: tuple[str, ...]
    metrics: tuple[ClassMetrics, ...]
    confusion: tuple[tuple[int, ...], ...]

    @property
    def windows(self) -> int:
        """Number of windows."""
        return sum(one.support for one in self.metrics)

    @property
    def accuracy(self) -> float:
        """Share of the windows that are predicted correctly."""
        return float(np.trace(self.confusion) / self.windows)

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall of the classes that occur: 1 / K for any constant prediction."""
        return float(np.mean([one.recall for one in self.metrics if one.support]))

    @property
    def macro_f1(self) -> float:
        """Mean F1 of all classes."""
        return float(np.mean([one.f1 for one in self.metrics]))


def class_report(
    truth: NDArray[Any], predicted: NDArray[Any], classes: tuple[str, ...]
) -> ClassReport:
    """Compare predictions (W,) with the truth (W,), both numbers of classes."""
    numbers = np.arange(len(classes))
    metrics = precision_recall_fscore_support(truth, predicted, labels=numbers, zero_division=0.0)
    return ClassReport(
        classes,
        tuple(
            ClassMetrics(float(precision), float(recall), float(f1), int(support))
            for precision, recall, f1, support in zip(*metrics, strict=True)
        ),
        tuple(map(tuple, confusion_matrix(truth, predicted, labels=numbers).tolist())),
    )
