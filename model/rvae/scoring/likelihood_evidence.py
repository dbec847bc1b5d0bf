"""The score "likelihood", from the likelihoods of values."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.config import ScoringConfig
from rvae.scoring import aggregation
from rvae.scoring.evidence import Evidence, EvidenceScorer, Placement

__all__ = ["LikelihoodEvidence"]


class LikelihoodEvidence(EvidenceScorer):
    """Mean negative log-likelihood of the observed values of a window, in nats per value.

    Its evidence is `nll`: -log p(x|z) of each value, scaled, NaN where missing (W, T, C). Scores of
    a point and of its channels are means of its own likelihoods over the windows that cover it.
    """

    @classmethod
    def from_state(
        cls, scoring: ScoringConfig, state: Mapping[str, NDArray[Any]]
    ) -> "LikelihoodEvidence":
        return cls()

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        return aggregation.window_scores(evidence["nll"])

    def contributions(self, evidence: Evidence) -> NDArray[np.float64]:
        return aggregation.contributions(evidence["nll"])

    def point_scores(self, evidence: Evidence, placement: Placement) -> NDArray[np.float64]:
        points = aggregation.point_scores(evidence["nll"])  # (W, T)
        return aggregation.mean_by_point(points, placement.starts, placement.length)

    def channel_scores(self, evidence: Evidence, placement: Placement) -> NDArray[np.float64]:
        return aggregation.mean_by_point(evidence["nll"], placement.starts, placement.length)

    def step_evidence(self, evidence: Evidence, placement: Placement) -> NDArray[np.float64]:
        return self.point_scores(evidence, placement)
