"""A linear way past an encoder and a decoder."""

import torch
from torch import Tensor, nn

from rvae.networks.missing_values import carry_forward

__all__ = ["LinearPath"]


class LinearPath(nn.Module):
    """What is linear in a window goes past the networks, which add what is not.

    The model is probabilistic principal components (Tipping and Bishop 1999, "Probabilistic
    principal component analysis") plus whatever the networks beside it learn. The decoder's
    network is added with a gain that starts at zero (Bachlechner et al. 2021, "ReZero is all you
    need", eq. 2), so that training starts from what the linear path knows.

    Args:
        inputs: Numbers that are read of each step.
        latent: Latent dimensions D.
        outputs: Parameters a step.
        window: Time steps T.
    """

    def __init__(self, inputs: int, latent: int, outputs: int, window: int) -> None:
        super().__init__()
        self.latent = latent
        self.shape = (window, outputs)
        self.scores = nn.Linear(window * inputs, latent)
        self.loadings = nn.Linear(latent, window * outputs)
        self.gain = nn.Parameter(torch.zeros(()))

    def encoded(self, features: Tensor, known: Tensor, summary: Tensor) -> Tensor:
        """An encoder's summary (B, H) of features (B, T, inputs), with the scores: (B, H + D)."""
        return torch.cat([summary, self.scores(carry_forward(features, known).flatten(1))], dim=1)

    def decoded(self, z: Tensor, said: Tensor) -> Tensor:
        """What a decoder says of latents (B, D or more): (B, T, outputs), with the linear part."""
        return self.loadings(z[:, : self.latent]).unflatten(1, self.shape) + self.gain * said
