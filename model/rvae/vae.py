"""The variational autoencoder: windows → distributions of latents → distributions of windows.

Kingma and Welling 2014, "Auto-encoding variational Bayes"; its recurrent form is Fabius and van
Amersfoort 2015, "Variational recurrent auto-encoders" (arXiv 1412.6581).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from rvae.config import ModelConfig
from rvae.context import Context
from rvae.likelihood import Likelihood
from rvae.networks import ARCHITECTURES
from rvae.networks.conditions import Conditions
from rvae.networks.features import Features
from rvae.posterior import Latent, posterior

__all__ = ["VAE"]


class VAE(nn.Module):
    """A variational autoencoder of windows (B, T, C).

    Args:
        config: The network.
        window: Time steps T.
        categories: Number of categories of each channel (C,), 0 for a numeric one.
        classes: How many classes there are.
    """

    def __init__(
        self, config: ModelConfig, window: int, categories: Sequence[int], classes: int = 0
    ) -> None:
        super().__init__()
        encoder, decoder = ARCHITECTURES[config.architecture]
        section = getattr(config, config.architecture)
        self.likelihood = Likelihood(config, categories)
        self.conditions = Conditions(config, window, classes)
        self.features = Features(categories, config.embedding, self.conditions.read)
        self.encoder = encoder(section, self.features.width, window)
        self.posterior = posterior(config, self.encoder.features)
        self.decoder = decoder(
            section,
            config.latent + self.conditions.labels,
            self.conditions.bypassing,
            self.likelihood.outputs,
            window,
        )

    def encode(self, x: Tensor, mask: Tensor, context: Context | None = None) -> Latent:
        """q(z|x) over (B, D), for windows (B, T, C) that were observed where the mask holds."""
        context = context or self._nothing(x)
        features, known = self.features(x, mask, self.conditions.of_steps(context))
        summary = self.encoder(features, known)
        # In mixed precision the distributions must not be rounded: they decide about nats.
        with torch.autocast(x.device.type, enabled=False):
            return self.posterior(summary.to(x.dtype))

    def decode(self, z: Tensor, context: Context | None = None) -> Distribution:
        """p(x|z) over (B, T, C), for latents (B, D)."""
        context = context or self._nothing(z)
        z = torch.cat([z, self.conditions.of_windows(context)], dim=1)
        said = self.decoder(z, self.conditions.of_bypass(context))
        return self.likelihood(said.to(z.dtype))

    def _nothing(self, windows: Tensor) -> Context:
        return Context.nothing(len(windows), self.conditions.window).to(windows.device)
