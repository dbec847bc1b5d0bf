"""The variational autoencoder: windows → distributions of latents → distributions of windows.

Kingma and Welling 2014, "Auto-encoding variational Bayes"; its recurrent form is Fabius and van
Amersfoort 2015, "Variational recurrent auto-encoders" (arXiv 1412.6581).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from rvae.config import ModelConfig
from rvae.data.context import Context
from rvae.networks.architectures import ARCHITECTURES, architecture_options
from rvae.networks.choices import require_valid_model
from rvae.networks.conditioning import Conditioning
from rvae.networks.features import Features
from rvae.networks.instance_normalization import InstanceNormalization
from rvae.networks.likelihoods import make_likelihood
from rvae.networks.linear_path import LinearPath
from rvae.networks.posterior import LatentDistribution
from rvae.networks.posteriors import make_posterior

__all__ = ["VAE", "Encoding"]


class Encoding(NamedTuple):
    """What encoding makes of windows: all that decoding them again needs.

    Attributes:
        posterior: q(z|x) over (B, D).
        context: Of the windows, with the level and spread that were taken off them.
    """

    posterior: LatentDistribution
    context: Context


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
        require_valid_model(config)
        architecture, options = (
            ARCHITECTURES.lookup(config.architecture),
            architecture_options(config),
        )
        self.likelihood = make_likelihood(config, categories)
        self.instances = InstanceNormalization(config.normalization == "instance", categories)
        self.conditions = Conditioning(config, window, classes)
        self.features = Features(categories, config.embedding, self.conditions.read)
        self.encoder = architecture.encoder(options, self.features.width, window)
        self.linear = (
            LinearPath(self.features.width, config.latent, self.likelihood.outputs, window)
            if config.linear
            else None
        )
        scores = config.latent if config.linear else 0
        self.posterior = make_posterior(config, int(self.encoder.features) + scores)
        self.decoder = architecture.decoder(
            options,
            config.latent + self.conditions.labels,
            self.conditions.bypassing,
            self.likelihood.outputs,
            window,
        )

    def encode(self, x: Tensor, mask: Tensor, context: Context | None = None) -> Encoding:
        """Encode windows (B, T, C) that were observed where the mask holds.

        Args:
            x: Scaled windows; what stands at missing places is ignored.
            mask: Where a value was observed (B, T, C).
            context: What is known of the windows besides; nothing if left out.
        """
        context = self.instances.told(x, mask, context or self._nothing(x))
        features, known = self.read(x, mask, context)
        summary = self.encoder(features, known)
        if self.linear is not None:
            summary = self.linear.encoded(features, known, summary)
        # In mixed precision the distributions must not be rounded: they decide about nats.
        with torch.autocast(x.device.type, enabled=False):
            return Encoding(self.posterior(summary.to(x.dtype)), context)

    def read(self, x: Tensor, mask: Tensor, context: Context) -> tuple[Tensor, Tensor]:
        """What encoders read of windows (B, T, C), and its mask."""
        x = self.instances.normalise(x, context)
        return self.features(x, mask, self.conditions.of_steps(context))

    def decode(self, z: Tensor, context: Context | None = None) -> Distribution:
        """p(x|z) over (B, T, C), for latents (B, D).

        The context of windows that were encoded is that of their `Encoding`: it holds the level and
        spread that a reconstruction needs.
        """
        context = context or self._nothing(z)
        z = torch.cat([z, self.conditions.of_windows(context)], dim=1)
        said = self.decoder(z, self.conditions.of_bypass(context))
        if self.linear is not None:
            said = self.linear.decoded(z, said)
        return self.likelihood(self.instances.undo(said.to(z.dtype), context))

    def _nothing(self, windows: Tensor) -> Context:
        return Context.nothing(len(windows), self.conditions.window).to(windows.device)
