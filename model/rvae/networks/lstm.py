"""An LSTM that can be trained in mixed precision on every processor."""

from typing import Any

import torch
from torch import nn

__all__ = ["Lstm"]


class Lstm(nn.LSTM):
    """PyTorch's LSTM, in single precision where the processor does not support bfloat16.

    Autocast would request a bfloat16 LSTM from oneDNN, which fails without AVX-512.
    """

    def forward(self, x: Any, state: Any = None) -> Any:
        """Same as `torch.nn.LSTM`."""
        device = self.weight_hh_l0.device.type
        if device != "cpu" or not torch.is_autocast_enabled(device) or _has_bfloat16():
            return super().forward(x, state)
        whole = None if state is None else tuple(part.float() for part in state)
        with torch.autocast(device, enabled=False):
            return super().forward(x.float(), whole)


def _has_bfloat16() -> bool:
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
