"""Distributions of observations given what the decoder says."""

import math

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Laplace, Normal, StudentT

from rvae.config import ModelConfig

__all__ = ["Huber", "Likelihood"]

# A model that fits noiseless data ever better drives a learned scale towards zero and its
# density towards infinity. A thousandth of the data's own spread is as exact as a score can use.
SMALLEST_SCALE = 1e-3

# Student's t has no mean at one degree of freedom, and is as good as normal at a hundred.
FEWEST_FREEDOMS, MOST_FREEDOMS, FIRST_FREEDOMS = 1.5, 100.0, 5.0


class Likelihood(nn.Module):
    """Independent noise of one family around the decoder's output, with one scale a channel.

    A learned scale balances reconstruction against the KL divergence by itself, and is then
    the maximum-likelihood estimate of the noise (Rybkin et al. 2021, "Simple and effective VAE
    training with calibrated decoders", section 3). So are Student's degrees of freedom.

    Args:
        config: Family and scale.
        channels: Channels C.
    """

    def __init__(self, config: ModelConfig, channels: int) -> None:
        super().__init__()
        self.family = config.likelihood
        self.outputs = channels
        if config.noise_scale == "learned":
            self.log_scale = nn.Parameter(torch.zeros(channels))
        else:
            self.register_buffer("log_scale", torch.full((channels,), config.noise_scale).log())
        self.smallest = SMALLEST_SCALE if config.noise_scale == "learned" else 0.0
        if self.family == "student_t":
            share = (FIRST_FREEDOMS - FEWEST_FREEDOMS) / (MOST_FREEDOMS - FEWEST_FREEDOMS)
            self.freedom = nn.Parameter(torch.full((channels,), share).logit())

    def forward(self, parameters: Tensor) -> Distribution:
        """Parameters (B, T, C) → distribution of observations (B, T, C)."""
        # Added and not clamped: a parameter that is out of bounds must find its way back.
        scale = (self.log_scale.exp() + self.smallest).expand_as(parameters)
        match self.family:
            case "normal":
                return Normal(parameters, scale, validate_args=False)
            case "laplace":
                return Laplace(parameters, scale, validate_args=False)
            case "huber":
                return Huber(parameters, scale)
            case "student_t":
                share = torch.sigmoid(self.freedom)
                freedom = FEWEST_FREEDOMS + (MOST_FREEDOMS - FEWEST_FREEDOMS) * share
                return StudentT(
                    freedom.expand_as(parameters), parameters, scale, validate_args=False
                )


class Huber(Distribution):
    """The distribution whose negative log-likelihood is Huber's loss.

    Normal within one scale of the mean, with exponential tails beyond (Huber 1964, "Robust
    estimation of a location parameter"; the smooth L1 loss where the scale is 1).

    Args:
        loc: Mean.
        scale: Distance at which the tails begin.
    """

    # Of exp(-huber(d)) over the line: the middle is a normal's, each tail exp(1/2 - d).
    _LOG_NORMALIZER = math.log(
        math.sqrt(2 * math.pi) * math.erf(1 / math.sqrt(2)) + 2 * math.exp(-0.5)
    )

    def __init__(self, loc: Tensor, scale: Tensor) -> None:
        self.loc, self.scale = loc, scale
        super().__init__(loc.shape, validate_args=False)

    @property
    def mean(self) -> Tensor:
        return self.loc

    def log_prob(self, value: Tensor) -> Tensor:
        distance = ((value - self.loc) / self.scale).abs()
        loss = torch.where(distance < 1, 0.5 * distance**2, distance - 0.5)
        return -loss - self.scale.log() - self._LOG_NORMALIZER
