"""The score "distance", from the distances of windows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.config import ScoringConfig
from rvae.scoring import aggregation
from rvae.scoring.evidence import Evidence, EvidenceScorer, Placement
from rvae.scoring.excess import errors_by_point, largest

__all__ = ["DistanceEvidence"]


class DistanceEvidence(EvidenceScorer):
    """Excess of a window's distance from the nearest training windows over the usual one.

    It is the excess (see `rvae.scoring.excess`) of this single part. The evidence is `parts`, the
    distances (W, 1), NaN where nothing was observed, and `errors`, the squared differences from the
    nearest window (W, T, C), NaN where missing.

    Args:
        level: Level of the distance (1,).
    """

    def __init__(self, level: NDArray[np.float64]) -> None:
        self._level = level

    @classmethod
    def from_state(
        cls, scoring: ScoringConfig, state: Mapping[str, NDArray[Any]]
    ) -> "DistanceEvidence":
        return DistanceEvidence(state["levels"])

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        return largest(evidence["parts"], self._level)

    def contributions(self, evidence: Evidence) -> NDArray[np.float64]:
        return aggregation.share_by_errors(self.score(evidence), evidence["errors"])

    def step_evidence(self, evidence: Evidence, placement: Placement) -> NDArray[np.float64]:
        return errors_by_point(self.score(evidence), evidence["errors"], placement)
