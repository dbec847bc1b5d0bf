"""Metrics of detection: scores of single time steps, compared with labels.

The metrics are those of the benchmark TSB-AD (Liu and Paparrizos 2024, "The elephant in the room:
towards a reliable time-series anomaly detection benchmark", NeurIPS), computed like its evaluator
does, so that they can be compared with published ones. The benchmark ranks by VUS-PR.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from rvae.data.intervals import intervals
from rvae.errors import require
from rvae.evaluation.affiliation import affiliation
from rvae.evaluation.volume_under_surface import volume_under_surface

__all__ = [
    "PointDetection",
    "adjusted_f1",
    "affiliation_f1",
    "best_f1",
    "event_f1",
    "point_detection",
    "range_f1",
]

# Number of evenly spaced thresholds, for F1 scores that do not use every score as a threshold.
THRESHOLDS = 100

# Weight in range recall of detecting an event at all, regardless of the overlap.
EXISTENCE = 0.2


@dataclass(frozen=True)
class PointDetection:
    """Metrics of scores, each in [0, 1] and 1 at best.

    The first four include all thresholds; each F1 is that of its best threshold. All but the last
    four depend only on the order of the scores.

    Attributes:
        vus_pr: Volume under the surface of precision and recall.
        vus_roc: Volume under the surface of the receiver operating characteristic.
        auc_pr: Average precision of single steps.
        auc_roc: Area under the receiver operating characteristic of single steps.
        f1: F1 of single steps, see `best_f1`.
        adjusted_f1: F1 of single steps, with point adjustment, see `adjusted_f1`.
        event_f1: Recall of events and precision of single steps, see `event_f1`.
        range_f1: Overlap of events with stretches of alarms, see `range_f1`.
        affiliation_f1: Distance between events and alarms, see `affiliation_f1`.
    """

    vus_pr: float
    vus_roc: float
    auc_pr: float
    auc_roc: float
    f1: float
    adjusted_f1: float
    event_f1: float
    range_f1: float
    affiliation_f1: float


def point_detection(
    labels: NDArray[np.bool_], scores: NDArray[np.floating[Any]], window: int
) -> PointDetection:
    """Compare scores with labels.

    Args:
        labels: Which steps are anomalous (N,).
        scores: Higher is more anomalous (N,).
        window: Longest buffer around events, in steps, see `volume_under_surface`.

    Raises:
        FieldError: If the labels are not booleans of which some but not all are true, if a score is
            missing or infinite, if the numbers of scores and labels differ, or if the window is
            negative.
    """
    require(labels.ndim == 1 and labels.dtype == np.bool_, "labels", "must be booleans (N,)")
    require(
        bool(labels.any()) and not labels.all(),
        "labels",
        "must mark some steps as anomalous, but not all of them",
    )
    require(
        scores.shape == labels.shape,
        "scores",
        f"must be one for each of the {len(labels)} labels, but have the shape {scores.shape}",
    )
    wrong = ~np.isfinite(scores)
    require(
        not wrong.any(),
        "scores",
        f"{wrong.sum()} are missing or infinite, the first at step {wrong.argmax()}: "
        "give these steps a score or leave them out",
    )
    require(window >= 0, "window", "must not be negative")
    exact = scores.astype(np.float64)
    volume = volume_under_surface(labels, exact, window)
    return PointDetection(
        vus_pr=volume.pr,
        vus_roc=volume.roc,
        auc_pr=float(average_precision_score(labels, exact)),
        auc_roc=float(roc_auc_score(labels, exact)),
        f1=best_f1(labels, exact),
        adjusted_f1=adjusted_f1(labels, exact),
        event_f1=event_f1(labels, exact),
        range_f1=range_f1(labels, exact),
        affiliation_f1=affiliation_f1(labels, exact),
    )


def best_f1(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """F1 of single steps, labels and scores (N,), with each score as a threshold."""
    precision, recall, _ = precision_recall_curve(labels, scores)
    # The evaluator has this addend. It changes the fifth decimal.
    return float((2 * precision * recall / (precision + recall + 1e-5)).max())


def adjusted_f1(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """F1 of single steps (N,), where one alarm in an event flags all of its steps.

    Xu et al. 2018, "Unsupervised anomaly detection via variational auto-encoder for seasonal KPIs
    in web applications", WWW. It overrates random scores (Kim et al. 2022, "Towards a rigorous
    evaluation of time-series anomaly detection", AAAI), and is only for comparison with older
    results.
    """
    ranks = _ranks(scores)
    starts, stops = intervals(labels)
    adjusted = np.repeat(_highest(labels, ranks, starts), stops - starts)
    # The evaluator adjusts every step but the first of the series.
    if labels[0]:
        adjusted[0] = ranks[0]
    hits = _flagged(adjusted)
    precision = hits / np.maximum(hits + _flagged(ranks[~labels]), 1)
    return _best(precision, hits / labels.sum())


def event_f1(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """F1 of the recall of events, found by one alarm, and the precision of single steps (N,).

    Garg et al. 2022, "An evaluation of anomaly detection and diagnosis in multivariate time
    series", IEEE TNNLS 33(6): the composite F-score.
    """
    ranks = _ranks(scores)
    starts, _ = intervals(labels)
    precision = _flagged(ranks[labels]) / np.maximum(_flagged(ranks), 1)
    # The evaluator does not look for events at the last step of the series.
    found = _flagged(_highest(labels, np.r_[ranks[:-1], 0], starts))
    return _best(precision, found / len(starts))


def range_f1(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """F1 of events and stretches of alarms by their overlap; labels and scores (N,).

    Tatbul et al. 2018, "Precision and recall for time series", NeurIPS, with flat positional bias:
    recall is the mean over events of 0.2 · (any step is flagged) + 0.8 · overlap, where the overlap
    is the flagged share of the event divided by the number of stretches of alarms that overlap it;
    precision is the mean overlap of the stretches with events.
    """
    ranks = _ranks(scores)
    truth = intervals(labels)
    precision, recall = np.zeros((2, THRESHOLDS))
    for threshold in range(ranks.max()):
        flags = ranks > threshold
        alarms = intervals(flags)
        found = _overlap(truth, flags, alarms)
        recall[threshold] = (EXISTENCE * (found > 0) + (1 - EXISTENCE) * found).mean()
        precision[threshold] = _overlap(alarms, labels, truth).mean()
    return _best(precision, recall)


def affiliation_f1(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """F1 of affiliation precision and recall (see `affiliation`) of labels and scores (N,)."""
    return _best(*affiliation(labels, _ranks(scores), THRESHOLDS))


def _ranks(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number of thresholds below each score, evenly spaced from the lowest score to the highest."""
    return np.searchsorted(np.linspace(scores.min(), scores.max(), THRESHOLDS), scores)


def _flagged(ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of ranks above each threshold (THRESHOLDS,)."""
    return np.bincount(ranks, minlength=THRESHOLDS + 1)[:0:-1].cumsum()[::-1]


def _highest(
    labels: NDArray[np.bool_], ranks: NDArray[np.int64], starts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The highest rank in each event."""
    return np.maximum.reduceat(np.where(labels, ranks, 0), starts)


def _overlap(
    ranges: tuple[NDArray[np.int64], NDArray[np.int64]],
    flags: NDArray[np.bool_],
    stretches: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.float64]:
    """Flagged share of each range, divided by the number of stretches that overlap it."""
    starts, stops = ranges
    before = np.r_[0, np.cumsum(flags)]
    met = np.searchsorted(stretches[0], stops) - np.searchsorted(stretches[1], starts, "right")
    return (before[stops] - before[starts]) / (stops - starts) / np.maximum(met, 1)


def _best(precision: NDArray[np.float64], recall: NDArray[np.float64]) -> float:
    """The highest F1 of pairs of precision and recall, 0 where both are."""
    total = precision + recall
    return float((2 * precision * recall / np.where(total > 0, total, 1)).max())
