"""What is known of windows besides their values."""

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Context"]


class Context(NamedTuple):
    """Times and classes of windows.

    Attributes:
        time: Places of the steps in cycles of the calendar (B, T, K), where K may be 0.
        label: Index of each window's class (B,), negative where it is none that is known.
    """

    time: Tensor
    label: Tensor

    def to(self, device: torch.device) -> "Context":
        """The same on a device."""
        return Context(self.time.to(device), self.label.to(device))

    @classmethod
    def nothing(cls, windows: int, steps: int) -> "Context":
        """Of windows of which only the values are known."""
        return cls(torch.zeros(windows, steps, 0), torch.full((windows,), -1))
