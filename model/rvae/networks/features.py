"""Windows as inputs of encoders: numbers, with embeddings instead of categories."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rvae.networks.joining import join
from rvae.networks.missing_values import last_observed

__all__ = ["Features"]


class Features(nn.Module):
    """Numeric channels, embedded categorical channels and conditions, concatenated.

    Entity embeddings are Guo and Berkhahn 2016, "Entity embeddings of categorical variables". The
    unknown category is the zero vector, around which the others are initialized.

    Args:
        categories: Number of categories of each channel (C,), 0 for a numeric one.
        embedding: Dimensions of an embedding.
        conditions: Conditions per step.

    Attributes:
        width: Features per step.
    """

    def __init__(self, categories: Sequence[int], embedding: int, conditions: int) -> None:
        super().__init__()
        self.numeric = [i for i, count in enumerate(categories) if not count]
        self.categorical = [i for i, count in enumerate(categories) if count]
        self.embeddings = nn.ModuleList(
            nn.Embedding(categories[i] + 1, embedding, padding_idx=0) for i in self.categorical
        )
        self.width = len(self.numeric) + embedding * len(self.categorical) + conditions
        self.conditions = conditions

    def forward(self, x: Tensor, mask: Tensor, conditions: Tensor) -> tuple[Tensor, Tensor]:
        """Features and their mask, both (B, T, width).

        Args:
            x: Scaled windows (B, T, C).
            mask: Where a value was observed (B, T, C).
            conditions: Of each step (B, T, conditions).
        """
        if not self.categorical and not self.conditions:
            return x, mask
        features, observed = [x[..., self.numeric]], [mask[..., self.numeric]]
        for i, embedding in zip(self.categorical, self.embeddings, strict=True):
            # Missing values may be NaN; 0 is a valid category.
            codes = torch.where(mask[..., i], x[..., i], 0.0).long()  # (B, T)
            features.append(embedding(codes))  # (B, T, embedding)
            observed.append(mask[..., i, None].expand_as(features[-1]))  # (B, T, embedding)
        # A window ends with its last value: conditions of later steps do not count as observed.
        steps = torch.arange(int(x.shape[1]), device=x.device)  # (T,)
        within = steps <= last_observed(mask)[:, None]  # (B, T)
        features.append(conditions)
        observed.append(within[..., None].expand_as(conditions))  # (B, T, conditions)
        return join(*features), join(*observed)  # both (B, T, width)
