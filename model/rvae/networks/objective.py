"""The loss of a variational autoencoder, in nats per window."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Distribution

from rvae.config import ObjectiveConfig
from rvae.networks.context import Context
from rvae.networks.posterior import LatentDistribution
from rvae.networks.vae import VAE

__all__ = [
    "Terms",
    "kl_warm_up",
    "kl_weight",
    "negative_elbo",
    "negative_log_likelihood",
]


@dataclass(frozen=True)
class Terms:
    """The parts of the negative evidence lower bound of a batch.

    Attributes:
        reconstruction: -log p(x|z) summed over observed steps and channels (B,).
        kl: Terms of KL(q(z|x) ‖ p(z)) by latent dimension (B, D).
        posterior: q(z|x).
    """

    reconstruction: Tensor
    kl: Tensor
    posterior: LatentDistribution

    @property
    def latent(self) -> Tensor:
        """Centre of q(z|x) (B, D)."""
        return self.posterior.centre

    def loss(self, beta: float, free_bits: float = 0.0) -> Tensor:
        """Mean over the batch of reconstruction + beta * KL.

        Sums over time, channels and latent dimensions, not means, keep the two terms in one
        unit, so that beta = 1 is the evidence lower bound for windows of any size. Free bits
        bound each dimension's mean KL from below (Kingma et al. 2016, eq. 15).
        """
        kl = self.kl.mean(0)  # (D,)
        # No bound without free bits: estimated terms may be negative.
        if free_bits > 0:
            kl = kl.clamp(min=free_bits)  # (D,)
        return self.reconstruction.mean() + beta * kl.sum()


def negative_elbo(
    vae: VAE,
    x: Tensor,
    mask: Tensor,
    context: Context | None = None,
    sampling_noise: float | Tensor = 1.0,
    visible: Tensor | None = None,
) -> Terms:
    """Both terms for windows (B, T, C), with one sample of z from q(z|x).

    Args:
        vae: The network.
        x: Scaled windows (B, T, C).
        mask: Where a value was observed (B, T, C).
        context: Times and classes of the windows, if there are any.
        sampling_noise: Factor on the noise of the sample, or the noise itself (B, D).
        visible: Part of the mask that the encoder sees; the whole mask if None.
    """
    visible = mask if visible is None else visible  # (B, T, C)
    q, context = vae.encode(x, visible, context)
    z, kl = q.rsample_with_kl(sampling_noise)  # both (B, D)
    nll = negative_log_likelihood(vae.decode(z, context), x, mask)  # (B, T, C)
    return Terms(nll.sum((1, 2)), kl, q)


def negative_log_likelihood(
    p: Distribution, x: Tensor, mask: Tensor, missing: float = 0.0
) -> Tensor:
    """-log p(x) of every value (B, T, C), and `missing` where it is missing."""
    # The fill value must be finite: a NaN would reach the gradient even through `where`.
    nll = -p.log_prob(torch.where(mask, x, 0.0))  # (B, T, C)
    return torch.where(mask, nll, missing)  # (B, T, C)


def kl_weight(config: ObjectiveConfig, progress: float) -> float:
    """Beta after `progress` (0 to 1) of the training steps: a linear rise, then flat.

    Bowman et al. 2016, "Generating sentences from a continuous space", section 3.1; in cycles, Fu
    et al. 2019, "Cyclical annealing schedule", eq. 6.
    """
    if config.annealing == "cyclical":
        progress = min(progress, 1 - 1e-9) * config.cycles % 1
    rise = 1.0 if config.warmup == 0 else min(1.0, progress / config.warmup)
    return config.beta * rise


def kl_warm_up(config: ObjectiveConfig) -> float:
    """Share of the training steps until the weight has finished rising."""
    if config.annealing == "linear":
        return config.warmup
    return (config.cycles - 1 + config.warmup) / config.cycles
