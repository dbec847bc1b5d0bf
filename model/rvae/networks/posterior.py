"""Interface of posteriors: features → distribution q(z|x) of the latent."""

from abc import ABC, abstractmethod
from typing import Self

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Normal, kl_divergence

from rvae.config import ModelConfig
from rvae.networks.normal import PlainNormal

__all__ = ["DiagonalNormal", "LatentDistribution", "NormalPosterior", "Posterior", "prior_like"]

MAX_LOG_SCALE = 10.0


class LatentDistribution(Distribution):
    """A distribution over latents (B, D), with its divergence from the prior N(0, 1)."""

    @property
    def centre(self) -> Tensor:
        """The deterministic latent (B, D) that represents the window."""
        raise NotImplementedError

    def rsample_with_kl(self, noise: float | Tensor = 1.0) -> tuple[Tensor, Tensor]:
        """Draw a sample, and compute the divergence from the prior.

        Args:
            noise: Standard normal noise (B, D) of the sample, or a factor on random noise.

        Returns:
            The sample z (B, D), and the terms of KL(q ‖ p) by latent dimension (B, D). Estimated
            terms may be negative.
        """
        raise NotImplementedError


class Posterior(nn.Module, ABC):
    """A module that maps features (B, H) to a `LatentDistribution` over (B, D).

    A new posterior is a subclass, and a line in `rvae.networks.posteriors`.
    """

    @classmethod
    @abstractmethod
    def from_config(cls, model: ModelConfig, features: int) -> Self:
        """Make an untrained posterior for H = `features` features."""

    @abstractmethod
    def forward(self, features: Tensor) -> LatentDistribution:
        """Features (B, H) → distribution over (B, D)."""

    def normal_base(self) -> "NormalPosterior | None":
        """The diagonal normal, before any flow, at which a linear path is initialized."""
        return None


class DiagonalNormal(PlainNormal, LatentDistribution):
    """Independent normals, with a KL divergence in closed form."""

    @property
    def centre(self) -> Tensor:
        return self.mean  # (B, D)

    def rsample_with_noise(self, noise: float | Tensor) -> Tensor:
        """A sample (B, D), with noise as in `rsample_with_kl`."""
        if isinstance(noise, Tensor):
            return self.loc + noise * self.scale  # (B, D)
        return self.loc + noise * (self.rsample() - self.loc)  # (B, D)

    def rsample_with_kl(self, noise: float | Tensor = 1.0) -> tuple[Tensor, Tensor]:
        z = self.rsample_with_noise(noise)  # (B, D)
        return z, kl_divergence(self, prior_like(self.loc))  # both (B, D)


class NormalPosterior(Posterior):
    """Diagonal normal q(z|x) whose mean and log standard deviation are linear in the features."""

    def __init__(self, features: int, latent: int) -> None:
        super().__init__()
        self.mean = nn.Linear(features, latent)
        self.log_scale = nn.Linear(features, latent)

    @classmethod
    def from_config(cls, model: ModelConfig, features: int) -> Self:
        return cls(features, model.latent)

    def forward(self, features: Tensor) -> DiagonalNormal:
        """Features (B, H) → distribution over (B, D)."""
        # If features diverge, exp must not overflow and spoil the whole batch.
        log_scale = self.log_scale(features).clamp(-MAX_LOG_SCALE, MAX_LOG_SCALE)  # (B, D)
        return DiagonalNormal(self.mean(features), torch.exp(log_scale))

    def normal_base(self) -> "NormalPosterior":
        return self


def prior_like(z: Tensor) -> Normal:
    """The prior p(z): independent standard normals of the shape of z."""
    return Normal(torch.zeros_like(z), torch.ones_like(z), validate_args=False)
