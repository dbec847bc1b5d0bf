"""A linear path parallel to encoder and decoder."""

import torch
from torch import Tensor, nn

from rvae.networks.missing_values import carry_forward

__all__ = ["LinearPath"]


class LinearPath(nn.Module):
    """A linear path parallel to the networks, which learn the nonlinear part of a window.

    The model is probabilistic principal components (Tipping and Bishop 1999, "Probabilistic
    principal component analysis") plus the networks. The decoder's network is added with a gain
    that starts at zero (Bachlechner et al. 2021, "ReZero is all you need", eq. 2), so that training
    starts from the linear path.

    Args:
        inputs: Inputs per step.
        latent: Latent dimensions D.
        outputs: Parameters per step.
        window: Time steps T.
    """

    def __init__(self, inputs: int, latent: int, outputs: int, window: int) -> None:
        super().__init__()
        self.latent = latent
        self.shape = (window, outputs)
        self.scores = nn.Linear(window * inputs, latent)
        self.loadings = nn.Linear(latent, window * outputs)
        self.gain = nn.Parameter(torch.zeros(()))

    def append_scores(self, summary: Tensor, features: Tensor, observed: Tensor) -> Tensor:
        """An encoder's summary (B, H) of features (B, T, inputs), with the scores: (B, H + D)."""
        scores = self.scores(carry_forward(features, observed).flatten(1))  # (B, D)
        return torch.cat([summary, scores], dim=1)  # (B, H + D)

    def add_linear_part(self, outputs: Tensor, z: Tensor) -> Tensor:
        """A decoder's outputs (B, T, outputs) for latents (B, D or more), with the linear part."""
        linear = self.loadings(z[:, : self.latent]).unflatten(1, self.shape)  # (B, T, outputs)
        return linear + self.gain * outputs  # (B, T, outputs)
