"""Inputs of encoders where values are missing."""

import torch
from torch import Tensor

__all__ = ["carry_forward", "last_observed"]


def last_observed(mask: Tensor) -> Tensor:
    """Index of the last step at which any channel was observed: (B, T, C) → (B,), 0 where none."""
    steps = torch.arange(mask.shape[1], device=mask.device)
    return (mask.any(-1) * steps).amax(1)


def carry_forward(x: Tensor, mask: Tensor) -> Tensor:
    """Put the last observed value of its channel at each missing place, zero before the first.

    This is only an input of the encoder: a missing value enters no loss and no score.
    """
    steps = torch.arange(x.shape[1], device=x.device)[None, :, None]
    source = torch.where(mask, steps, -1).cummax(1).values  # (B, T, C)
    filled = x.nan_to_num().gather(1, source.clamp(min=0))
    return torch.where(source >= 0, filled, 0.0)
