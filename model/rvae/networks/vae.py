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
from rvae.networks.architectures import ARCHITECTURES, architecture_options
from rvae.networks.choices import require_valid_model
from rvae.networks.conditioning import Conditioning
from rvae.networks.context import Context
from rvae.networks.features import Features
from rvae.networks.instance_normalization import InstanceNormalization
from rvae.networks.joining import join
from rvae.networks.likelihoods import make_likelihood
from rvae.networks.linear_path import LinearPath
from rvae.networks.posterior import LatentDistribution
from rvae.networks.posteriors import make_posterior

__all__ = ["VAE", "Encoding"]


class Encoding(NamedTuple):
    """Result of encoding windows, with everything that decoding needs.

    Attributes:
        posterior: q(z|x) over (B, D).
        context: Context of the windows, with the level and spread that were removed.
    """

    posterior: LatentDistribution
    context: Context


class VAE(nn.Module):
    """A variational autoencoder of windows (B, T, C).

    Args:
        config: The network.
        window: Time steps T.
        categories: Number of categories of each channel (C,), 0 for a numeric one.
        classes: Number of classes.
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
        """Encode windows.

        Args:
            x: Scaled windows (B, T, C); missing values are ignored.
            mask: Where a value was observed (B, T, C).
            context: Times and classes of the windows, if there are any.
        """
        context = self.instances.with_statistics(x, mask, context or self._empty_context(x))
        features, observed = self.encoder_inputs(x, mask, context)  # both (B, T, inputs)
        summary = self.encoder(features, observed)  # (B, H)
        if self.linear is not None:
            summary = self.linear.append_scores(summary, features, observed)  # (B, H + D)
        # Full precision also in mixed precision: rounded distributions would change the loss.
        with torch.autocast(x.device.type, enabled=False):
            return Encoding(self.posterior(summary.to(x.dtype)), context)

    def encoder_inputs(self, x: Tensor, mask: Tensor, context: Context) -> tuple[Tensor, Tensor]:
        """Inputs of the encoder for windows (B, T, C), and their mask, both (B, T, inputs)."""
        x = self.instances.normalize(x, context)  # (B, T, C)
        conditions = self.conditions.encoder_inputs(context)  # (B, T, encoder_width)
        return self.features(x, mask, conditions)  # both (B, T, inputs)

    def decode(self, z: Tensor, context: Context | None = None) -> Distribution:
        """p(x|z) over (B, T, C), for latents (B, D).

        To reconstruct windows, pass the context of their `Encoding`: it holds their level and
        spread.
        """
        context = context or self._empty_context(z)
        z = join(z, self.conditions.class_inputs(context))  # (B, D + classes)
        outputs = self.decoder(z, self.conditions.decoder_inputs(context))  # (B, T, outputs)
        if self.linear is not None:
            outputs = self.linear.add_linear_part(outputs, z)  # (B, T, outputs)
        outputs = self.instances.denormalize(outputs.to(z.dtype), context)  # (B, T, outputs)
        return self.likelihood(outputs)

    def _empty_context(self, windows: Tensor) -> Context:
        return Context.empty(windows.shape[0], self.conditions.window).to(windows.device)
