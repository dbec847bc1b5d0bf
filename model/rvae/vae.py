"""The variational autoencoder: windows → distributions of latents → distributions of windows.

Kingma and Welling 2014, "Auto-encoding variational Bayes"; its recurrent form is Fabius and van
Amersfoort 2015, "Variational recurrent auto-encoders" (arXiv 1412.6581).
"""

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Normal

from rvae.config import ModelConfig
from rvae.likelihood import Likelihood
from rvae.networks import ARCHITECTURES

__all__ = ["VAE"]

LARGEST_LOG_SCALE = 10.0


class VAE(nn.Module):
    """A variational autoencoder of windows (B, T, C).

    Args:
        config: The network.
        channels: Channels C.
        window: Time steps T.
    """

    def __init__(self, config: ModelConfig, channels: int, window: int) -> None:
        super().__init__()
        encoder, decoder = ARCHITECTURES[config.architecture]
        section = getattr(config, config.architecture)
        self.likelihood = Likelihood(config, channels)
        self.encoder = encoder(section, channels, window)
        self.posterior = NormalPosterior(self.encoder.features, config.latent)
        self.decoder = decoder(section, config.latent, self.likelihood.outputs, window)

    def encode(self, x: Tensor, mask: Tensor) -> Distribution:
        """q(z|x) over (B, D), for windows (B, T, C) that were observed where the mask holds."""
        return self.posterior(self.encoder(x, mask))

    def decode(self, z: Tensor) -> Distribution:
        """p(x|z) over (B, T, C), for latents (B, D)."""
        return self.likelihood(self.decoder(z))


class NormalPosterior(nn.Module):
    """Diagonal normal q(z|x) whose mean and log standard deviation are linear in the features."""

    def __init__(self, features: int, latent: int) -> None:
        super().__init__()
        self.mean = nn.Linear(features, latent)
        self.log_scale = nn.Linear(features, latent)

    def forward(self, features: Tensor) -> Distribution:
        """Features (B, H) → distribution over (B, D)."""
        # Where the features run wild, exp must not overflow and take the whole batch along.
        log_scale = self.log_scale(features).clamp(-LARGEST_LOG_SCALE, LARGEST_LOG_SCALE)
        return Normal(self.mean(features), torch.exp(log_scale), validate_args=False)
