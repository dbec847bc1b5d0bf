"""Flags of windows → clusters: the flagged windows that belong to one event."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvae.errors import require

__all__ = ["Clusters", "find_clusters", "require_gap"]


@dataclass(frozen=True)
class Clusters:
    """Clusters of flagged windows, in order.

    Attributes:
        first: Number of the first flagged window of each cluster (E,).
        last: Number of its last flagged window (E,).
        score: Highest score of its flagged windows (E,).
    """

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    score: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.first)


def find_clusters(
    scores: NDArray[np.float64],
    thresholds: float | NDArray[np.float64],
    starts: NDArray[np.int64],
    window: int,
    gap: int,
) -> Clusters:
    """Cluster the windows that score above their threshold (runs declustering).

    Flagged windows that overlap, touch or have at most `gap` steps between them belong together,
    whatever the windows between them score: at most one cluster begins in a stretch of T start
    steps (Leadbetter, Lindgren and Rootzén 1983, "Extremes and related properties of random
    sequences and processes", for maxima of dependent scores). A window without a score is not
    flagged and separates nothing.

    Args:
        scores: Score of each window (W,), NaN where nothing was observed.
        thresholds: Threshold of each window (W,), or of all.
        starts: First step of each window (W,), ascending.
        window: Time steps T.
        gap: Most steps between flagged windows that belong together.

    Raises:
        FieldError: If the gap is negative.
    """
    require_gap(gap)
    flagged = np.flatnonzero(scores > thresholds)
    apart = np.flatnonzero(np.diff(starts[flagged]) > window + gap) + 1
    begins = np.concatenate([np.zeros(min(1, len(flagged)), np.int64), apart])
    ends = np.concatenate([apart, np.full(min(1, len(flagged)), len(flagged))]) - 1
    highest = np.maximum.reduceat(scores[flagged], begins) if len(flagged) else np.empty(0)
    return Clusters(flagged[begins], flagged[ends], highest)


def require_gap(gap: int) -> None:
    """Raise a `FieldError` if a gap is negative."""
    require(gap >= 0, "gap", f"must be at least 0, got {gap}")
