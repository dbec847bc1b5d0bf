"""Evidence of windows → scores, in NumPy alone: what an analysis asks a scorer for."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rvae.scoring.aggregation import mean_by_point, sum_of_observed, window_mean_by_point

__all__ = ["Evidence", "EvidenceScorer", "Placement"]

Evidence = Mapping[str, NDArray[Any]]
"""Arrays (W, ...) by name: what a scorer has measured of windows."""


@dataclass(frozen=True)
class Placement:
    """Positions of the windows in a series.

    Attributes:
        starts: First step of each window (W,).
        window: Time steps T of a window.
        length: Points N of the series.
    """

    starts: NDArray[np.int64]
    window: int
    length: int


class EvidenceScorer(Protocol):
    """Computes scores from the evidence of windows. Higher is more anomalous."""

    @abstractmethod
    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Score of each window (W,), NaN where nothing was observed."""

    @abstractmethod
    def contributions(self, evidence: Evidence) -> NDArray[np.float64]:
        """What each step and channel adds to its window's score (W, T, C), NaN where missing."""

    def point_scores(self, evidence: Evidence, placement: Placement) -> NDArray[np.float64]:
        """Score of each point of a series (N,): the mean score of the windows that cover it."""
        return window_mean_by_point(
            self.score(evidence), placement.starts, placement.window, placement.length
        )

    def channel_scores(self, evidence: Evidence, placement: Placement) -> NDArray[np.float64]:
        """Score of each channel at each point of a series (N, C).

        It is the mean contribution of the channel to the scores of the windows that cover the
        point.
        """
        channels = np.nansum(self.contributions(evidence), axis=1)  # (W, C)
        return window_mean_by_point(channels, placement.starts, placement.window, placement.length)

    def step_evidence(self, evidence: Evidence, placement: Placement) -> NDArray[np.float64]:
        """How much each point of a series speaks for an anomaly (N,), NaN where unknown.

        It locates events within their windows: only ratios of its distances from the least evidence
        matter. Here it is the mean of what a point adds to the scores of the windows that cover it.
        """
        return mean_by_point(
            sum_of_observed(self.contributions(evidence)), placement.starts, placement.length
        )
