"""The score "likelihood": how unlikely the values of a window are."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rvae.networks.objective import negative_log_likelihood
from rvae.scoring import aggregation
from rvae.scoring.evidence import Evidence, Placement
from rvae.scoring.reconstruction import Reconstruction
from rvae.scoring.scorer import Scorer

__all__ = ["LikelihoodScorer"]


class LikelihoodScorer(Scorer):
    """Mean negative log-likelihood of the observed values of a window, in nats per value.

    Its evidence is `nll`: -log p(x|z) of each value, scaled, NaN where missing (W, T, C). Scores of
    a point and of its channels are means of its own likelihoods over the windows that cover it.
    """

    def measure(self, reconstruction: Reconstruction) -> dict[str, Tensor]:
        mask = reconstruction.mask
        nll = negative_log_likelihood(reconstruction.p, reconstruction.x, mask)
        return {"nll": nll.masked_fill(~mask, torch.nan)}  # (B, T, C)

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
