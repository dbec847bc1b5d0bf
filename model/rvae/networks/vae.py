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
    """Windows after encoding: everything that decoding them again needs.

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
        self.features = Features(categories, config.embedding, self.conditions.encoder_width)
        encoder = architecture.encoder(options, self.features.width, window)
        self.encoder = encoder
        self.linear = (
            LinearPath(self.features.width, config.latent, self.likelihood.outputs, window)
            if config.linear
            else None
        )
        scores = config.latent if config.linear else 0
        self.posterior = make_posterior(config, encoder.features + scores)
        self.decoder = architecture.decoder(
            options,
            config.latent + self.conditions.classes,
            self.conditions.decoder_width,
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
        context = self.instances.with_statistics(x, mask, context or self._empty_context(x))
        features, observed = self.encoder_inputs(x, mask, context)  # (B, T, inputs)
        summary = self.encoder(features, observed)  # (B, H)
        if self.linear is not None:
            summary = self.linear.append_scores(summary, features, observed)  # (B, H + D)
        # In mixed precision the distributions must not be rounded: they decide about nats.
        with torch.autocast(x.device.type, enabled=False):
            return Encoding(self.posterior(summary.to(x.dtype)), context)

    def encoder_inputs(self, x: Tensor, mask: Tensor, context: Context) -> tuple[Tensor, Tensor]:
        """Inputs of the encoder for windows (B, T, C), and their mask, both (B, T, inputs)."""
        x = self.instances.normalize(x, context)  # (B, T, C)
        return self.features(x, mask, self.conditions.encoder_inputs(context))

    def decode(self, z: Tensor, context: Context | None = None) -> Distribution:
        """p(x|z) over (B, T, C), for latents (B, D).

        The context of windows that were encoded is that of their `Encoding`: it holds the level and
        spread that a reconstruction needs.
        """
        context = context or self._empty_context(z)
        z = torch.cat([z, self.conditions.class_inputs(context)], dim=1)  # (B, D + classes)
        outputs = self.decoder(z, self.conditions.decoder_inputs(context))  # (B, T, outputs)
        if self.linear is not None:
            outputs = self.linear.add_linear_part(outputs, z)
        return self.likelihood(self.instances.denormalize(outputs.to(z.dtype), context))

    def _empty_context(self, windows: Tensor) -> Context:
        return Context.empty(len(windows), self.conditions.window).to(windows.device)
