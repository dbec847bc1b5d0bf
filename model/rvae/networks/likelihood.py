"""Distributions of observations given what the decoder says."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Laplace, Normal, StudentT

from rvae.config import ModelConfig

__all__ = ["Categories", "Huber", "Likelihood", "Mixed"]

# A model that fits noiseless data ever better drives a learned scale towards zero and its
# density towards infinity. A thousandth of the data's own spread is as exact as a score can use.
SMALLEST_SCALE = 1e-3

# Student's t has no mean at one degree of freedom, and is as good as normal at a hundred.
FEWEST_FREEDOMS, MOST_FREEDOMS, FIRST_FREEDOMS = 1.5, 100.0, 5.0

# What all categories together, the unknown one included, have of the probability in equal shares.
# A category that never came is then unlikely by a number that does not grow with training.
SHARE_OF_SURPRISE = 1e-4


class Likelihood(nn.Module):
    """Independent noise around the decoder's output: of one family, and categories.

    A learned scale balances reconstruction against the KL divergence by itself, and is then
    the maximum-likelihood estimate of the noise (Rybkin et al. 2021, "Simple and effective VAE
    training with calibrated decoders", section 3). So are Student's degrees of freedom.

    Args:
        config: Family and scale, of numeric channels.
        categories: Number of categories of each channel (C,), 0 for a numeric one.

    Attributes:
        outputs: Parameters a step: one of a numeric channel, and one of each category.
    """

    def __init__(self, config: ModelConfig, categories: Sequence[int]) -> None:
        super().__init__()
        self.family = config.likelihood
        self.categories = tuple(categories)
        self.outputs = sum(count or 1 for count in categories)
        numeric = sum(not count for count in categories)
        learned = config.noise_scale == "learned"
        self.smallest = SMALLEST_SCALE if learned else 0.0
        if numeric == 0 or self.family == "bernoulli":
            return  # there is no scale
        if config.noise_scale == "learned":
            self.log_scale = nn.Parameter(torch.zeros(numeric))
        else:
            self.register_buffer("log_scale", torch.full((numeric,), config.noise_scale).log())
        if self.family == "student_t":
            share = (FIRST_FREEDOMS - FEWEST_FREEDOMS) / (MOST_FREEDOMS - FEWEST_FREEDOMS)
            self.freedom = nn.Parameter(torch.full((numeric,), share).logit())

    @torch.no_grad()
    def start_at(self, scale: Tensor) -> None:
        """Start from these scales of numeric channels, where scales are learnt."""
        if isinstance(getattr(self, "log_scale", None), nn.Parameter):
            self.log_scale.copy_((scale - self.smallest).clamp(min=self.smallest).log())

    def forward(self, parameters: Tensor) -> Distribution:
        """Parameters (B, T, outputs) → distribution of observations (B, T, C)."""
        if not any(self.categories):
            return self._numbers(parameters)
        parts = torch.split(parameters, [count or 1 for count in self.categories], dim=-1)
        numeric = [part for part, n in zip(parts, self.categories, strict=True) if not n]
        return Mixed(
            self._numbers(torch.cat(numeric, dim=-1)) if numeric else None,
            [Categories(part) for part, n in zip(parts, self.categories, strict=True) if n],
            [n > 0 for n in self.categories],
        )

    def _numbers(self, parameters: Tensor) -> Distribution:
        if self.family == "bernoulli":
            return Bernoulli(logits=parameters, validate_args=False)
        # Added and not clamped: a parameter that is out of bounds must find its way back.
        scale = (self.log_scale.exp() + self.smallest).expand_as(parameters)
        match self.family:
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
            case _:
                return Normal(parameters, scale, validate_args=False)


class Categories(Distribution):
    """One of K categories, word_codes from 1; 0 is whichever is not among them.

    Args:
        logits: Of the categories (..., K).
    """

    def __init__(self, logits: Tensor) -> None:
        self.known = (1 - SHARE_OF_SURPRISE) * logits.softmax(-1)
        self.each = SHARE_OF_SURPRISE / (logits.shape[-1] + 1)
        super().__init__(logits.shape[:-1], validate_args=False)

    @property
    def mean(self) -> Tensor:
        """Of the categories one-hot: their probabilities (..., K)."""
        return self.known + self.each

    def log_prob(self, value: Tensor) -> Tensor:
        """Of the numbers of categories (...)."""
        code = value.long()
        known = self.known.gather(-1, (code - 1).clamp(min=0)[..., None])[..., 0]
        return torch.log(torch.where(code > 0, known, 0.0) + self.each)


class Mixed(Distribution):
    """Numeric and categorical channels, independent of each other.

    Args:
        numbers: Of the numeric channels (B, T, numeric); None where there are none.
        categories: Of each categorical channel (B, T).
        categorical: Which channels (C,) are categorical.
    """

    def __init__(
        self,
        numbers: Distribution | None,
        categories: Sequence[Categories],
        categorical: Sequence[bool],
    ) -> None:
        self.numbers, self.categories, self.categorical = numbers, categories, categorical
        shape = torch.Size([*categories[0].batch_shape, len(categorical)])
        super().__init__(shape, validate_args=False)

    @property
    def mean(self) -> Tensor:
        """Means of numeric channels, probabilities of each category: (B, T, outputs)."""
        numbers = self.numbers.mean if self.numbers is not None else None
        return self._in_order(numbers, [c.mean for c in self.categories])

    def log_prob(self, value: Tensor) -> Tensor:
        """Of each channel of observations (B, T, C)."""
        at = [i for i, categorical in enumerate(self.categorical) if not categorical]
        numbers = self.numbers.log_prob(value[..., at]) if self.numbers is not None else None
        at = [i for i, categorical in enumerate(self.categorical) if categorical]
        said = [
            c.log_prob(value[..., i])[..., None] for i, c in zip(at, self.categories, strict=True)
        ]
        return self._in_order(numbers, said)

    def _in_order(self, numbers: Tensor | None, categories: Sequence[Tensor]) -> Tensor:
        columns = iter(()) if numbers is None else iter(torch.split(numbers, 1, dim=-1))
        others = iter(categories)
        return torch.cat([next(others if c else columns) for c in self.categorical], dim=-1)


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
