"""Masking parts of training windows, so that the encoder learns to encode missing values."""

import torch
from torch import Tensor

__all__ = ["mask_values"]


def mask_values(mask: Tensor, share: float) -> Tensor:
    """Mask the end, a stretch, or a channel of a share of the windows.

    Args:
        mask: Where values were observed (B, T, C).
        share: Share of the windows, in [0, 1].

    Returns:
        The part of the mask that stays visible (B, T, C), never empty if the mask is not.
    """
    windows, steps, channels = mask.shape
    draw = torch.rand(4, windows, 1, 1, device=mask.device)
    step = torch.arange(steps, device=mask.device)[None, :, None]
    channel = torch.arange(channels, device=mask.device)[None, None]
    end = step >= 1 + draw[0] * (steps - 1)
    stretch = (step >= draw[0] * steps) & (step < (draw[0] + 0.5 * draw[1]) * steps)
    whole_channel = channel == (draw[0] * channels).floor()
    choices = 3 if channels > 1 else 2
    choice = (draw[2] * choices).floor()
    taken = torch.where(choice == 0, end, torch.where(choice == 1, stretch, whole_channel))
    left = mask & ~(taken & (draw[3] < share))
    return torch.where(left.any((1, 2), keepdim=True), left, mask)
