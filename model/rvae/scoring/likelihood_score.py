"""The score "likelihood": how unlikely the values of a window are."""

import torch
from torch import Tensor

from rvae.networks.objective import negative_log_likelihood
from rvae.scoring.likelihood_evidence import LikelihoodEvidence
from rvae.scoring.reconstruction import Reconstruction
from rvae.scoring.scorer import Scorer

__all__ = ["LikelihoodScorer"]


class LikelihoodScorer(LikelihoodEvidence, Scorer):
    """Mean negative log-likelihood of the observed values of a window, in nats per value."""

    def measure(self, reconstruction: Reconstruction) -> dict[str, Tensor]:
        x, mask = reconstruction.x, reconstruction.mask
        return {"nll": negative_log_likelihood(reconstruction.p, x, mask, torch.nan)}  # (B, T, C)
