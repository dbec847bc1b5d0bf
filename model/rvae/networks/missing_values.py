"""Inputs of encoders where values are missing."""

import math

import torch
from torch import Tensor, nn

__all__ = ["carry_forward", "last_observed", "running_maximum"]


def last_observed(mask: Tensor) -> Tensor:
    """Index of the last step at which any channel was observed: (B, T, C) → (B,), 0 if none."""
    return _observed_steps(mask).amax((1, 2))  # (B,)


def carry_forward(x: Tensor, mask: Tensor) -> Tensor:
    """Fill missing values of x (B, T, C) with the channel's last observed value, else with zero.

    This is only for inputs of the encoder: missing values do not enter a loss or a score.
    """
    source = running_maximum(_observed_steps(mask))  # (B, T, C)
    # Before the first observed value the source is step 0, which is missing, too.
    return torch.where(mask, x, 0.0).gather(1, source)  # (B, T, C)


def _observed_steps(mask: Tensor) -> Tensor:
    """Number of each step where the mask (B, T, C) holds, and 0 elsewhere."""
    # An int, so that the steps are a constant of graphs.
    steps = torch.arange(int(mask.shape[1]), device=mask.device)[None, :, None]  # (1, T, 1)
    return torch.where(mask, steps, 0)  # (B, T, C)


def running_maximum(steps: Tensor) -> Tensor:
    """Largest of the whole numbers so far, at each step of (B, T, C), none below zero."""
    if not torch.onnx.is_in_onnx_export():
        return steps.cummax(1).values
    # ONNX has no such operation. The largest of a block of steps, and then of the last of so many
    # blocks, is the largest of all: twice the root of T comparisons instead of T.
    block = math.isqrt(steps.shape[1] - 1) + 1
    largest = steps.transpose(1, 2).float()  # (B, C, T)
    for dilation in (1, block):
        padded = nn.functional.pad(largest, ((block - 1) * dilation, 0))
        largest = nn.functional.max_pool1d(padded, block, stride=1, dilation=dilation)
    return largest.transpose(1, 2).long()  # (B, T, C)
