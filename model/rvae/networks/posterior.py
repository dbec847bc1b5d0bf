"""Distributions of the latent given a window.

A module maps features (B, H) to a distribution over latents (B, D) that has

    centre       where it lies, without any chance (B, D)
    draw(noise)  a sample (B, D) with the noise given (B, D), or with noise that is drawn and
                 scaled by the factor given, and the terms of KL(q ‖ p) by latent dimension (B, D),
                 the prior p being standard normal; where they are estimated, single ones may be
                 negative
"""

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence
from zuko.nn import MaskedMLP

from rvae.config import FlowConfig, ModelConfig

__all__ = ["IAFPosterior", "Latent", "NormalPosterior", "posterior"]

LARGEST_LOG_SCALE = 10.0

# At first a flow should hardly bend: sigmoid(4) keeps 98 % of what comes in.
FIRST_GATE = 4.0


class Latent(Protocol):
    """A distribution over latents (B, D), as the module's docstring describes it."""

    @property
    def centre(self) -> Tensor: ...

    def draw(self, noise: float | Tensor) -> tuple[Tensor, Tensor]: ...


class DiagonalNormal(Normal):
    """Independent normals, whose KL divergence is known in closed form."""

    @property
    def centre(self) -> Tensor:
        return self.mean

    def draw(self, noise: float | Tensor) -> tuple[Tensor, Tensor]:
        z = sample(self, noise)
        return z, kl_divergence(self, standard_normal_like(self.loc))


class NormalPosterior(nn.Module):
    """Diagonal normal q(z|x) whose mean and log standard deviation are linear in the features."""

    def __init__(self, features: int, latent: int) -> None:
        super().__init__()
        self.mean = nn.Linear(features, latent)
        self.log_scale = nn.Linear(features, latent)

    def forward(self, features: Tensor) -> DiagonalNormal:
        """Features (B, H) → distribution over (B, D)."""
        # Where the features run wild, exp must not overflow and take the whole batch along.
        log_scale = self.log_scale(features).clamp(-LARGEST_LOG_SCALE, LARGEST_LOG_SCALE)
        return DiagonalNormal(self.mean(features), torch.exp(log_scale), validate_args=False)


class IAFPosterior(nn.Module):
    """A diagonal normal, bent by inverse autoregressive flow.

    Kingma et al. 2016, "Improved variational inference with inverse autoregressive flow",
    algorithm 1: a step makes of z the mixture σ z + (1 - σ) m, where m and σ of a dimension depend
    on the features and on the dimensions before it. Every other step has them in reverse order.

    Args:
        features: Features H.
        latent: Latent dimensions D.
        config: The steps.
    """

    def __init__(self, features: int, latent: int, config: FlowConfig) -> None:
        super().__init__()
        self.base = NormalPosterior(features, latent)
        places = torch.arange(latent)
        self.steps = nn.ModuleList()
        for step in range(config.transforms):
            order = places if step % 2 == 0 else places.flip(0)
            earlier = torch.cat(
                [order[:, None] > order, torch.ones(latent, features, dtype=torch.bool)], dim=1
            )
            self.steps.append(MaskedMLP(earlier.repeat(2, 1), [config.hidden], nn.ELU))

    def forward(self, features: Tensor) -> "Bent":
        """Features (B, H) → distribution over (B, D)."""
        return Bent(self.base(features), self, features)

    def bend(self, z: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (B, D) → where they come to lie, and the log of the slope there, both (B, D).

        The Jacobian is triangular, and the slopes are its diagonal.
        """
        log_slope = torch.zeros_like(z)
        # In mixed precision too: a slope that is rounded is not the slope of what was done.
        with torch.autocast(z.device.type, enabled=False):
            for step in self.steps:
                target, gate = step(torch.cat([z, features], dim=1)).chunk(2, dim=1)
                gate = gate + FIRST_GATE
                kept = torch.sigmoid(gate)
                z = kept * z + (1 - kept) * target
                log_slope = log_slope + nn.functional.logsigmoid(gate)
        return z, log_slope


class Bent:
    """A diagonal normal after a flow.

    Args:
        base: The normal.
        flow: What bends it.
        features: Of the windows (B, H).
    """

    def __init__(self, base: Normal, flow: IAFPosterior, features: Tensor) -> None:
        self.base, self._flow, self._features = base, flow, features

    @property
    def centre(self) -> Tensor:
        """Where the normal's mean comes to lie: the mean itself has no closed form."""
        return self._flow.bend(self.base.mean, self._features)[0]

    def draw(self, noise: float | Tensor) -> tuple[Tensor, Tensor]:
        start = sample(self.base, noise if isinstance(noise, Tensor) else 1.0)
        z, log_slope = self._flow.bend(start, self._features)
        # Exact for the normal, an estimate only of what the flow changes: where everything is
        # estimated, a decoder at the start of training hears more noise than signal and gives up.
        bent = 0.5 * (z**2 - start**2) - log_slope
        kl = kl_divergence(self.base, standard_normal_like(start)) + bent
        if not isinstance(noise, Tensor) and noise != 1:
            # The divergence is of q itself: estimated from samples with less noise, it would fall
            # without end where q widens.
            start = self.base.mean + noise * (start - self.base.mean)
            z = self._flow.bend(start, self._features)[0]
        return z, kl


def posterior(config: ModelConfig, features: int) -> NormalPosterior | IAFPosterior:
    """The posterior that the configuration names, for so many features."""
    if config.posterior == "iaf":
        return IAFPosterior(features, config.latent, config.flow)
    return NormalPosterior(features, config.latent)


def sample(q: Normal, noise: float | Tensor) -> Tensor:
    """One of each of some normals, with noise as in `draw`."""
    if isinstance(noise, Tensor):
        return q.loc + noise * q.scale
    return q.loc + noise * (q.rsample() - q.loc)


def standard_normal_like(z: Tensor) -> Normal:
    return Normal(torch.zeros_like(z), torch.ones_like(z), validate_args=False)
