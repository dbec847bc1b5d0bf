"""Windows brought to one level and one spread before they are encoded, and back."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rvae.data.context import Context

__all__ = ["InstanceNormalization"]

# Added to a window's own spread, in standard deviations of the training data: what hardly moves
# must not be blown up to pure noise.
MIN_SPREAD = 0.1


class InstanceNormalization(nn.Module):
    """Reversible instance normalisation.

    Each window's own mean and standard deviation, by numeric channel, are taken off before it is
    encoded and put back after decoding (Kim et al. 2022, "Reversible instance normalization for
    accurate time-series forecasting against distribution shift", eq. 1 and 4, without the learned
    factors). The latent then tells shapes apart, at whatever level they come. The noise of the
    observations stays in the units of the data.

    Args:
        wanted: Whether windows are normalised at all.
        categories: Number of categories of each channel (C,), 0 for a numeric one.
    """

    def __init__(self, wanted: bool, categories: Sequence[int]) -> None:
        super().__init__()
        self.wanted = wanted
        numeric = torch.tensor([count == 0 for count in categories])
        # Where each channel stands among the outputs, of which a category is one.
        widths = torch.tensor([count or 1 for count in categories])
        # Not saved: they follow from the channels.
        self.register_buffer("numeric", numeric, persistent=False)
        self.register_buffer("widths", widths, persistent=False)

    def told(self, x: Tensor, mask: Tensor, context: Context) -> Context:
        """The context with level and spread of windows (B, T, C), observed where the mask holds."""
        if not self.wanted:
            return context
        count = mask.sum(1, keepdim=True).clamp(min=1)  # (B, 1, C)
        values = torch.where(mask, x, 0.0)
        level = values.sum(1, keepdim=True) / count
        apart = torch.where(mask, x - level, 0.0)
        spread = (apart.square().sum(1, keepdim=True) / count).sqrt() + MIN_SPREAD
        numeric = self.get_buffer("numeric")
        return context._replace(
            level=torch.where(numeric, level, 0.0), spread=torch.where(numeric, spread, 1.0)
        )

    def normalise(self, x: Tensor, context: Context) -> Tensor:
        """Windows (B, T, C) as the encoder reads them."""
        if context.level is None or context.spread is None:
            return x
        return (x - context.level) / context.spread

    def undo(self, said: Tensor, context: Context) -> Tensor:
        """What a decoder says (B, T, outputs), at the windows' own level and spread."""
        level, spread = self._of_outputs(context)
        return said * spread + level

    def relative(self, windows: Tensor, context: Context) -> Tensor:
        """Windows as decoders write them (B, T, outputs), without their level and spread."""
        level, spread = self._of_outputs(context)
        return (windows - level) / spread

    def _of_outputs(self, context: Context) -> tuple[Tensor | float, Tensor | float]:
        if context.level is None or context.spread is None:
            return 0.0, 1.0
        widths = self.get_buffer("widths")
        level = context.level.repeat_interleave(widths, dim=2)
        return level, context.spread.repeat_interleave(widths, dim=2)
