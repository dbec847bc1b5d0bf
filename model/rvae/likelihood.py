"""Distributions of observations given what the decoder says."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Normal

__all__ = ["NormalLikelihood"]

# A model that fits noiseless data ever better drives a learned scale towards zero and its
# density towards infinity. A thousandth of the data's own spread is as exact as a score can use.
SMALLEST_SCALE = 1e-3


class NormalLikelihood(nn.Module):
    """Independent normals with one standard deviation a channel.

    A learned scale balances reconstruction against the KL divergence by itself, and is then
    the maximum-likelihood estimate of the noise (Rybkin et al. 2021, "Simple and effective VAE
    training with calibrated decoders", section 3).

    Args:
        channels: Channels C.
        noise_scale: Fixed standard deviation, or "learned".
    """

    def __init__(self, channels: int, noise_scale: float | Literal["learned"]) -> None:
        super().__init__()
        self.outputs = channels
        if noise_scale == "learned":
            self.log_scale = nn.Parameter(torch.zeros(channels))
        else:
            self.register_buffer("log_scale", torch.full((channels,), noise_scale).log())

    def forward(self, parameters: Tensor) -> Distribution:
        """Parameters (B, T, C) → distribution of observations (B, T, C)."""
        scale = self.log_scale.exp().clamp(min=SMALLEST_SCALE)
        return Normal(parameters, scale.expand_as(parameters), validate_args=False)
