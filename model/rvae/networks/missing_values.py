"""Inputs of encoders where values are missing."""

import torch
from torch import Tensor

__all__ = ["carry_forward", "last_observed"]


def last_observed(mask: Tensor) -> Tensor:
    """Index of the last step at which any channel was observed: (B, T, C) → (B,), 0 if none."""
    steps = torch.arange(mask.shape[1], device=mask.device)  # (T,)
    return (mask.any(-1) * steps).amax(1)  # (B,)


def carry_forward(x: Tensor, mask: Tensor) -> Tensor:
    """Fill missing values of x (B, T, C) with the channel's last observed value, else with zero.

    This is only for inputs of the encoder: missing values do not enter a loss or a score.
    """
    steps = torch.arange(x.shape[1], device=x.device)[None, :, None]  # (1, T, 1)
    source = torch.where(mask, steps, -1).cummax(1).values  # (B, T, C)
    filled = x.nan_to_num().gather(1, source.clamp(min=0))  # (B, T, C)
    return torch.where(source >= 0, filled, 0.0)  # (B, T, C)
