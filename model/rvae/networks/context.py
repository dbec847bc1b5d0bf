"""Context of windows: times, classes, levels and spreads."""

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Context"]


class Context(NamedTuple):
    """Times, classes, levels and spreads of windows.

    Attributes:
        time: Calendar features of the steps (B, T, K), where K may be 0.
        label: Index of each window's class (B,), negative where the class is unknown.
        level: Subtracted from each channel before encoding, and added after decoding (B, 1, C);
            None stands for 0.
        spread: Divides each channel before encoding, and multiplies it after decoding (B, 1, C);
            None stands for 1.
    """

    time: Tensor
    label: Tensor
    level: Tensor | None = None
    spread: Tensor | None = None

    def to(self, device: torch.device) -> "Context":
        """Copy to a device."""
        level = None if self.level is None else self.level.to(device)
        spread = None if self.spread is None else self.spread.to(device)
        return Context(self.time.to(device), self.label.to(device), level, spread)

    @classmethod
    def empty(cls, windows: int, steps: int) -> "Context":
        """Context of windows without times and classes."""
        return cls(torch.zeros(windows, steps, 0), torch.full((windows,), -1))
