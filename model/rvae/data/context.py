"""What is known of windows besides their values."""

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Context"]


class Context(NamedTuple):
    """Times, classes, levels and spreads of windows.

    Attributes:
        time: Places of the steps in cycles of the calendar (B, T, K), where K may be 0.
        label: Index of each window's class (B,), negative where it is none that is known.
        level: What is taken off each channel before it is encoded, and put back after decoding
            (B, 1, C); nothing if left out.
        spread: What it is divided by, in the same way (B, 1, C); one if left out.
    """

    time: Tensor
    label: Tensor
    level: Tensor | None = None
    spread: Tensor | None = None

    def to(self, device: torch.device) -> "Context":
        """The same on a device."""
        level = None if self.level is None else self.level.to(device)
        spread = None if self.spread is None else self.spread.to(device)
        return Context(self.time.to(device), self.label.to(device), level, spread)

    @classmethod
    def empty(cls, windows: int, steps: int) -> "Context":
        """Context of windows of which only the values are known."""
        return cls(torch.zeros(windows, steps, 0), torch.full((windows,), -1))
