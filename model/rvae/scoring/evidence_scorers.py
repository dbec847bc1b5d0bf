"""Scores of saved models, computed from evidence without a network."""

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from rvae.config import ScoringConfig
from rvae.scoring.distance_evidence import DistanceEvidence
from rvae.scoring.evidence import EvidenceScorer
from rvae.scoring.excess_evidence import ExcessEvidence
from rvae.scoring.likelihood_evidence import LikelihoodEvidence

__all__ = ["EVIDENCE_SCORERS"]

# By the score's name; the state is that of the scorer, see `rvae.scoring.scorer.Scorer.state`.
EVIDENCE_SCORERS: Mapping[
    str, Callable[[ScoringConfig, Mapping[str, NDArray[Any]]], EvidenceScorer]
] = {
    "likelihood": LikelihoodEvidence.from_state,
    "excess": ExcessEvidence.from_state,
    "distance": DistanceEvidence.from_state,
}
