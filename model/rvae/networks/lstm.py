"""An LSTM that can be trained in mixed precision on every processor."""

from typing import Any

import torch
from torch import nn

__all__ = ["Lstm"]


class Lstm(nn.LSTM):
    """PyTorch's, which stays in single precision where the processor has none in bfloat16.

    Autocast asks oneDNN for an LSTM in bfloat16 all the same, and that fails without AVX-512.
    """

    def forward(self, x: Any, state: Any = None) -> Any:
        """As `torch.nn.LSTM` does it."""
        device = self.weight_hh_l0.device.type
        if device != "cpu" or not torch.is_autocast_enabled(device) or _has_bfloat16():
            return super().forward(x, state)
        whole = None if state is None else tuple(part.float() for part in state)
        with torch.autocast(device, enabled=False):
            return super().forward(x.float(), whole)


def _has_bfloat16() -> bool:
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
