"""The likelihoods that `model.likelihood` names.

A new one is a subclass of `Likelihood` in a file of its own, and a line in `LIKELIHOODS`.
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Laplace

from rvae.config import ModelConfig
from rvae.config.registry import Registry
from rvae.networks.likelihood import Likelihood, ScaledLikelihood
from rvae.networks.normal import PlainNormal

__all__ = [
    "LIKELIHOODS",
    "BernoulliLikelihood",
    "Huber",
    "HuberLikelihood",
    "LaplaceLikelihood",
    "NormalLikelihood",
    "StudentTLikelihood",
    "make_likelihood",
]

# Student's t has no mean at one degree of freedom, and is almost normal at a hundred.
MIN_FREEDOM, MAX_FREEDOM, FIRST_FREEDOM = 1.5, 100.0, 5.0


class NormalLikelihood(ScaledLikelihood):
    """Normal noise."""

    def numeric(self, parameters: Tensor) -> Distribution:
        return PlainNormal(parameters, self.scale)


class LaplaceLikelihood(ScaledLikelihood):
    """Noise whose negative log-likelihood is the absolute error."""

    def numeric(self, parameters: Tensor) -> Distribution:
        return Laplace(parameters, self.scale.expand_as(parameters), validate_args=False)


class StudentT(Distribution):
    """Student's t-distribution; torch's own computes its normalizer again for every value.

    Args:
        freedom: Degrees of freedom (C,), above 1.
        loc: Mean (..., C).
        scale: Scale (C,).
    """

    def __init__(self, freedom: Tensor, loc: Tensor, scale: Tensor) -> None:
        self.freedom, self.loc, self.scale = freedom, loc, scale
        super().__init__(loc.shape, validate_args=False)

    @property
    def mean(self) -> Tensor:
        return self.loc

    def log_prob(self, value: Tensor) -> Tensor:
        half = (self.freedom + 1) / 2  # (C,)
        normalizer = torch.lgamma(half) - torch.lgamma(self.freedom / 2)  # (C,)
        if torch.onnx.is_in_onnx_export():
            normalizer = torch.tensor(normalizer.tolist())  # a constant: ONNX has no such function
        width = self.scale.log() + 0.5 * (math.pi * self.freedom).log()  # (C,)
        squared = ((value - self.loc) / self.scale) ** 2  # (..., C)
        return normalizer - width - half * torch.log1p(squared / self.freedom)  # (..., C)


class StudentTLikelihood(ScaledLikelihood):
    """Student's t, with learned degrees of freedom per channel."""

    def __init__(self, noise_scale: float | Literal["learned"], categories: Sequence[int]) -> None:
        super().__init__(noise_scale, categories)
        if self.channels:
            share = (FIRST_FREEDOM - MIN_FREEDOM) / (MAX_FREEDOM - MIN_FREEDOM)
            self.freedom = nn.Parameter(torch.full((self.channels,), share).logit())

    def numeric(self, parameters: Tensor) -> Distribution:
        share = torch.sigmoid(self.freedom)  # (channels,)
        freedom = MIN_FREEDOM + (MAX_FREEDOM - MIN_FREEDOM) * share  # (channels,)
        return StudentT(freedom, parameters, self.scale)


class Huber(Distribution):
    """The distribution whose negative log-likelihood is Huber's loss.

    Normal within one scale of the mean, with exponential tails beyond (Huber 1964, "Robust
    estimation of a location parameter"; the smooth L1 loss where the scale is 1).

    Args:
        loc: Mean.
        scale: Distance at which the tails begin.
    """

    # Log integral of exp(-huber(d)): a normal in the middle, exp(1/2 - d) in each tail.
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
        distance = ((value - self.loc) / self.scale).abs()  # (...)
        loss = torch.where(distance < 1, 0.5 * distance**2, distance - 0.5)  # (...)
        return -loss - self.scale.log() - self._LOG_NORMALIZER


class HuberLikelihood(ScaledLikelihood):
    """Noise whose negative log-likelihood is Huber's loss."""

    def numeric(self, parameters: Tensor) -> Distribution:
        return Huber(parameters, self.scale.expand_as(parameters))


class BernoulliLikelihood(Likelihood):
    """Values in [0, 1]: the negative log-likelihood is the cross-entropy."""

    unit_interval = True

    def numeric(self, parameters: Tensor) -> Distribution:
        return Bernoulli(logits=parameters, validate_args=False)


LIKELIHOODS: Registry[type[Likelihood]] = Registry(
    "model.likelihood",
    Likelihood,
    {
        "normal": NormalLikelihood,
        "student_t": StudentTLikelihood,
        "laplace": LaplaceLikelihood,
        "huber": HuberLikelihood,
        "bernoulli": BernoulliLikelihood,
    },
)


def make_likelihood(model: ModelConfig, categories: Sequence[int]) -> Likelihood:
    """The likelihood that the configuration names, untrained.

    Args:
        model: The network.
        categories: Number of categories of each channel (C,), 0 for a numeric one.
    """
    return LIKELIHOODS.lookup(model.likelihood)(model.noise_scale, categories)
