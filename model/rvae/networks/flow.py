"""A posterior with an inverse autoregressive flow."""

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn
from torch.distributions import kl_divergence
from zuko.nn import MaskedMLP

from rvae.config import FlowConfig, ModelConfig
from rvae.networks.posterior import (
    DiagonalNormal,
    LatentDistribution,
    NormalPosterior,
    Posterior,
    prior_like,
)

__all__ = ["FlowDistribution", "FlowPosterior"]

# An untrained flow should change little: sigmoid(4) keeps 98 % of its input.
FIRST_GATE = 4.0


class FlowPosterior(Posterior):
    """A diagonal normal, transformed by an inverse autoregressive flow.

    Kingma et al. 2016, "Improved variational inference with inverse autoregressive flow",
    algorithm 1: a step maps z to the mixture σ z + (1 - σ) m, where m and σ of a dimension depend
    on the features and on the dimensions before it. The order is reversed in every other step.

    Args:
        features: Features H.
        latent: Latent dimensions D.
        config: The steps.
    """

    def __init__(self, features: int, latent: int, config: FlowConfig) -> None:
        super().__init__()
        self.base = NormalPosterior(features, latent)
        places = torch.arange(latent)  # (D,)
        self.steps = nn.ModuleList()
        for step in range(config.transforms):
            order = places if step % 2 == 0 else places.flip(0)
            earlier = torch.cat(
                [order[:, None] > order, torch.ones(latent, features, dtype=torch.bool)], dim=1
            )  # (D, D + H)
            self.steps.append(MaskedMLP(earlier.repeat(2, 1), [config.hidden], nn.ELU))

    @classmethod
    def from_config(cls, model: ModelConfig, features: int) -> Self:
        return cls(features, model.latent, model.flow)

    def forward(self, features: Tensor) -> "FlowDistribution":
        """Features (B, H) → distribution over (B, D)."""
        return FlowDistribution(self.base(features), self, features)

    def transform(self, z: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (B, D) of the base → samples of the flow, and log |dz'/dz|, both (B, D).

        The Jacobian is triangular; the log of its diagonal is returned.
        """
        log_slope = torch.zeros_like(z)  # (B, D)
        # Full precision also in mixed precision: a rounded slope would not match the samples.
        with torch.autocast(z.device.type, enabled=False):
            for step in self.steps:
                target, gate = step(torch.cat([z, features], dim=1)).chunk(2, dim=1)  # (B, D)
                gate = gate + FIRST_GATE  # (B, D)
                keep = torch.sigmoid(gate)  # (B, D)
                z = keep * z + (1 - keep) * target  # (B, D)
                log_slope = log_slope + nn.functional.logsigmoid(gate)  # (B, D)
        return z, log_slope

    def normal_base(self) -> NormalPosterior:
        return self.base


class FlowDistribution(LatentDistribution):
    """A diagonal normal after a flow.

    Samples are exact; the density has no closed form that is as fast.

    Args:
        base: Distribution before the flow.
        flow: Its transformation.
        features: Features of the windows (B, H).
    """

    def __init__(self, base: DiagonalNormal, flow: FlowPosterior, features: Tensor) -> None:
        self.base, self._flow, self._features = base, flow, features
        super().__init__(base.batch_shape, validate_args=False)

    @property
    def centre(self) -> Tensor:
        """The transformed mean of the base (B, D): the mean itself has no closed form."""
        return self._flow.transform(self.base.mean, self._features)[0]

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Samples (*sample_shape, B, D)."""
        start = self.base.rsample(torch.Size(sample_shape))  # (*sample_shape, B, D)
        features = self._features.expand(*sample_shape, *self._features.shape)  # (*shape, B, H)
        z, _ = self._flow.transform(start.flatten(0, -2), features.flatten(0, -2))  # (S * B, D)
        return z.view_as(start)  # (*sample_shape, B, D)

    def rsample_with_kl(self, noise: float | Tensor = 1.0) -> tuple[Tensor, Tensor]:
        """A sample z (B, D), and estimated terms of KL(q ‖ p) by latent dimension (B, D)."""
        start = self.base.rsample_with_noise(noise if isinstance(noise, Tensor) else 1.0)  # (B, D)
        z, log_slope = self._flow.transform(start, self._features)  # (B, D)
        # Exact for the normal, estimated only for the change by the flow: an estimate of the whole
        # would drown the signal in noise at the start of training, and the latent would collapse.
        change = 0.5 * (z**2 - start**2) - log_slope  # (B, D)
        kl = kl_divergence(self.base, prior_like(start)) + change  # (B, D)
        if not isinstance(noise, Tensor) and noise != 1:
            # The divergence is that of q itself: estimated from samples with less noise, it would
            # fall without bound where q widens.
            start = self.base.mean + noise * (start - self.base.mean)  # (B, D)
            z = self._flow.transform(start, self._features)[0]  # (B, D)
        return z, kl
