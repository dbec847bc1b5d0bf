"""The score "excess", from the errors of windows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.config import ScoringConfig
from rvae.scoring import aggregation
from rvae.scoring.evidence import Evidence, EvidenceScorer, Placement
from rvae.scoring.excess import errors_by_point, excess, largest

__all__ = ["ExcessEvidence", "parts_per_channel"]


def parts_per_channel(scoring: ScoringConfig) -> int:
    """Number of types of errors that have a part for every channel."""
    return 1 if scoring.level is None else 2


class ExcessEvidence(EvidenceScorer):
    """The largest excess of the parts of a window's errors, in nats.

    One anomalous channel of many is enough (see `rvae.scoring.excess`). The evidence is `parts`,
    see `rvae.scoring.excess_score.ErrorParts` (W, P), and `errors`, the squared errors of the part
    that decides (W, T, C), NaN where missing. An excess belongs to a window as a whole.

    Args:
        levels: Levels of the parts (P,).
        parts_per_channel: Number of parts per channel.
    """

    def __init__(self, levels: NDArray[np.float64], parts_per_channel: int) -> None:
        self._levels = levels
        self._parts_per_channel = parts_per_channel

    @classmethod
    def from_state(
        cls, scoring: ScoringConfig, state: Mapping[str, NDArray[Any]]
    ) -> "ExcessEvidence":
        return ExcessEvidence(state["levels"], parts_per_channel(scoring))

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        return largest(evidence["parts"], self._levels)

    def contributions(self, evidence: Evidence) -> NDArray[np.float64]:
        return aggregation.share_by_errors(self.score(evidence), evidence["errors"])

    def channel_scores(self, evidence: Evidence, placement: Placement) -> NDArray[np.float64]:
        """The largest excess of each channel's own parts, averaged for points like scores."""
        count, channels = self._parts_per_channel, evidence["errors"].shape[2]
        over = excess(evidence["parts"], self._levels)[:, : count * channels]
        largest_of_channel = np.fmax.reduce(over.reshape(-1, count, channels), axis=1)  # (W, C)
        return aggregation.window_mean_by_point(
            largest_of_channel, placement.starts, placement.window, placement.length
        )

    def step_evidence(self, evidence: Evidence, placement: Placement) -> NDArray[np.float64]:
        return errors_by_point(self.score(evidence), evidence["errors"], placement)
