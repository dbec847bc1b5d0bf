"""Distributions of categorical channels, and of categorical and numeric channels together."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.distributions import Distribution

__all__ = ["Categories", "Mixed"]

# Probability that is shared equally by all categories, the unknown one included. It bounds the
# negative log-likelihood of a category that never occurred in training.
UNIFORM_SHARE = 1e-4


class Categories(Distribution):
    """One of K categories, numbered from 1; 0 stands for all unknown categories.

    Args:
        logits: Logits of the categories (..., K).
    """

    def __init__(self, logits: Tensor) -> None:
        self.scaled = (1 - UNIFORM_SHARE) * logits.softmax(-1)  # (..., K)
        self.floor = UNIFORM_SHARE / (logits.shape[-1] + 1)
        super().__init__(logits.shape[:-1], validate_args=False)

    @property
    def mean(self) -> Tensor:
        """Mean of the one-hot encoding: the probabilities (..., K)."""
        return self.scaled + self.floor

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-probability of category numbers (...)."""
        code = value.long()  # (...)
        scaled = self.scaled.gather(-1, (code - 1).clamp(min=0)[..., None])[..., 0]  # (...)
        return torch.log(torch.where(code > 0, scaled, 0.0) + self.floor)  # (...)


class Mixed(Distribution):
    """Numeric and categorical channels, independent of each other.

    Args:
        numbers: Distribution of the numeric channels (B, T, numeric); None if there are none.
        categories: Distribution of each categorical channel (B, T).
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
        return self._in_channel_order(numbers, [c.mean for c in self.categories])

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-probability of each channel of observations (B, T, C)."""
        at = [i for i, categorical in enumerate(self.categorical) if not categorical]
        numbers = self.numbers.log_prob(value[..., at]) if self.numbers is not None else None
        at = [i for i, categorical in enumerate(self.categorical) if categorical]
        columns = [
            c.log_prob(value[..., i])[..., None] for i, c in zip(at, self.categories, strict=True)
        ]  # each (B, T, 1)
        return self._in_channel_order(numbers, columns)

    def _in_channel_order(self, numbers: Tensor | None, categories: Sequence[Tensor]) -> Tensor:
        columns = iter(()) if numbers is None else iter(torch.split(numbers, 1, dim=-1))
        others = iter(categories)
        # (B, T, C) of single columns, (B, T, outputs) of means
        return torch.cat([next(others if c else columns) for c in self.categorical], dim=-1)
