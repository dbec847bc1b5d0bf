"""Interface of likelihoods: decoder outputs → distribution of observations."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from rvae.networks.categories import Categories, Mixed

__all__ = ["Likelihood", "ScaledLikelihood"]

# On noiseless data a learned scale would tend to zero and the density to infinity. A thousandth of
# the data's spread is exact enough for scores.
MIN_LEARNED_SCALE = 1e-3


class Likelihood(nn.Module, ABC):
    """Independent noise around the decoder's output: one family for all numeric channels.

    A new family is a subclass with a `numeric` distribution, and a line in
    `rvae.networks.likelihoods`.

    Args:
        noise_scale: Scale of the noise of numeric channels, or "learned"; ignored for values in
            the unit interval.
        categories: Number of categories of each channel (C,), 0 for a numeric one.

    Attributes:
        unit_interval: Whether the family is for values in [0, 1], which are not scaled. Such a
            family has no noise scale.
        outputs: Parameters per step: one for a numeric channel, and one for each category.
        channels: Number of numeric channels.
    """

    unit_interval: ClassVar[bool] = False

    def __init__(self, noise_scale: float | Literal["learned"], categories: Sequence[int]) -> None:
        super().__init__()
        self.categories = tuple(categories)
        self.outputs = sum(count or 1 for count in categories)
        self.channels = sum(not count for count in categories)

    @abstractmethod
    def numeric(self, parameters: Tensor) -> Distribution:
        """Distribution of numeric channels, parameters of the same shape (..., channels)."""

    def start_at(self, scale: Tensor) -> None:
        """Initialize learned scales of the noise (channels,)."""

    def forward(self, parameters: Tensor) -> Distribution:
        """Parameters (B, T, outputs) → distribution of observations (B, T, C)."""
        if not any(self.categories):
            return self.numeric(parameters)
        # One part per channel: (B, T, 1) if numeric, else (B, T, K).
        parts = torch.split(parameters, [count or 1 for count in self.categories], dim=-1)
        numeric = [part for part, n in zip(parts, self.categories, strict=True) if not n]
        return Mixed(
            self.numeric(torch.cat(numeric, dim=-1)) if numeric else None,
            [Categories(part) for part, n in zip(parts, self.categories, strict=True) if n],
            [n > 0 for n in self.categories],
        )


class ScaledLikelihood(Likelihood):
    """A family with one scale per numeric channel.

    A learned scale balances reconstruction against the KL divergence by itself, and is then
    the maximum-likelihood estimate of the noise (Rybkin et al. 2021, "Simple and effective VAE
    training with calibrated decoders", section 3).
    """

    def __init__(self, noise_scale: float | Literal["learned"], categories: Sequence[int]) -> None:
        super().__init__(noise_scale, categories)
        self.min_scale = MIN_LEARNED_SCALE if noise_scale == "learned" else 0.0
        if self.channels == 0:
            return
        if noise_scale == "learned":
            self.log_scale = nn.Parameter(torch.zeros(self.channels))
        else:
            self.register_buffer("log_scale", torch.full((self.channels,), noise_scale).log())

    @property
    def scale(self) -> Tensor:
        """Scale of the noise of numeric channels (channels,)."""
        # Added, not clamped: a clamped parameter would get no gradient.
        return self.log_scale.exp() + self.min_scale  # (channels,)

    @torch.no_grad()
    def start_at(self, scale: Tensor) -> None:
        if isinstance(getattr(self, "log_scale", None), nn.Parameter):
            self.log_scale.copy_((scale - self.min_scale).clamp(min=self.min_scale).log())
