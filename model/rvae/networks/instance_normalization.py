"""Normalization of each window by its own level and spread, and back."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rvae.networks.context import Context

__all__ = ["InstanceNormalization"]

# Added to a window's own spread, in standard deviations of the training data: an almost constant
# window must not be amplified to pure noise.
MIN_SPREAD = 0.1


class InstanceNormalization(nn.Module):
    """Reversible instance normalization.

    Each window's own mean and standard deviation, by numeric channel, are removed before encoding
    and restored after decoding (Kim et al. 2022, "Reversible instance normalization for accurate
    time-series forecasting against distribution shift", eq. 1 and 4, without the learned factors).
    The latent then describes the shape, independent of the level. The noise of the observations
    stays in the units of the data.

    Args:
        enabled: Whether windows are normalized at all.
        categories: Number of categories of each channel (C,), 0 for a numeric one.
    """

    def __init__(self, enabled: bool, categories: Sequence[int]) -> None:
        super().__init__()
        self.enabled = enabled
        numeric = torch.tensor([count == 0 for count in categories])
        # Outputs per channel: one if numeric, else one per category.
        widths = torch.tensor([count or 1 for count in categories])
        # Not saved: they follow from the channels.
        self.register_buffer("numeric", numeric, persistent=False)
        self.register_buffer("widths", widths, persistent=False)

    def with_statistics(self, x: Tensor, mask: Tensor, context: Context) -> Context:
        """Add level and spread of the observed values of windows (B, T, C) to their context."""
        if not self.enabled:
            return context
        count = mask.sum(1, keepdim=True).clamp(min=1)  # (B, 1, C)
        values = torch.where(mask, x, 0.0)  # (B, T, C)
        level = values.sum(1, keepdim=True) / count  # (B, 1, C)
        deviation = torch.where(mask, x - level, 0.0)  # (B, T, C)
        variance = deviation.square().sum(1, keepdim=True) / count  # (B, 1, C)
        spread = variance.sqrt() + MIN_SPREAD  # (B, 1, C)
        numeric = self.get_buffer("numeric")  # (C,)
        return context._replace(
            level=torch.where(numeric, level, 0.0), spread=torch.where(numeric, spread, 1.0)
        )

    def normalize(self, x: Tensor, context: Context) -> Tensor:
        """Windows (B, T, C) without their level and spread, as inputs of the encoder."""
        if context.level is None or context.spread is None:
            return x
        return (x - context.level) / context.spread  # (B, T, C)

    def denormalize(self, outputs: Tensor, context: Context) -> Tensor:
        """A decoder's outputs (B, T, outputs) at the windows' own level and spread."""
        if context.level is None:
            return outputs
        level, spread = self._of_outputs(context)
        return outputs * spread + level  # (B, T, outputs)

    def relative(self, windows: Tensor, context: Context) -> Tensor:
        """Windows in the form of outputs (B, T, outputs), without their level and spread."""
        level, spread = self._of_outputs(context)
        return (windows - level) / spread  # (B, T, outputs)

    def _of_outputs(self, context: Context) -> tuple[Tensor | float, Tensor | float]:
        if context.level is None or context.spread is None:
            return 0.0, 1.0
        widths = self.get_buffer("widths")  # (C,)
        level = context.level.repeat_interleave(widths, dim=2)  # (B, 1, outputs)
        return level, context.spread.repeat_interleave(widths, dim=2)  # both (B, 1, outputs)
