"""Recurrent layers with a normalization after each of them."""

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rvae.networks.layer_options import normalization

__all__ = ["NormalizedRecurrent"]


class NormalizedRecurrent(nn.Module):
    """Layers that are called like PyTorch's, each followed by a normalization.

    The states at each step are normalized on their way to the next layer and to the output, over
    units ("layer": Ba et al. 2016) or over windows and steps ("batch": Laurent et al. 2016, "Batch
    normalized recurrent neural networks", section 3.2). The recurrence inside a layer is not
    normalized: this way PyTorch's fast layers can be used.

    Args:
        kind: Class of the layers.
        inputs: Inputs per step.
        hidden: Hidden units H of each layer.
        depth: Layers.
        dropout: Dropout between layers.
        bidirectional: Whether layers also read backwards.
        normalize: Kind of the normalization.
    """

    def __init__(
        self,
        kind: Callable[..., nn.RNNBase],
        inputs: int,
        hidden: int,
        depth: int,
        dropout: float,
        bidirectional: bool,
        normalize: Literal["batch", "layer"],
    ) -> None:
        super().__init__()
        outputs = hidden * (1 + bidirectional)
        self.num_layers, self.bidirectional = depth, bidirectional
        self.layers = nn.ModuleList(
            kind(outputs if i else inputs, hidden, batch_first=True, bidirectional=bidirectional)
            for i in range(depth)
        )
        self.after = nn.ModuleList(
            nn.Sequential(
                *normalization(normalize, outputs), nn.Dropout(dropout if i < depth - 1 else 0.0)
            )
            for i in range(depth)
        )

    def forward(self, x: Any, state: Any = None) -> tuple[Any, Any]:
        """Same as `torch.nn.LSTM` and `torch.nn.GRU`, for tensors and packed sequences."""
        states = []
        for i, (layer, after) in enumerate(zip(self.layers, self.after, strict=True)):
            x, last = layer(x, self._of_layer(state, i))
            x = _by_step(after, x)
            states.append(last)
        if isinstance(states[0], tuple):
            return x, tuple(torch.cat(parts) for parts in zip(*states, strict=True))
        return x, torch.cat(states)  # (directions * depth, B, H)

    def _of_layer(self, state: Any, i: int) -> Any:
        """From the state of all layers (directions * depth, B, H), that of one of them."""
        if state is None:
            return None
        if isinstance(state, tuple):
            return tuple(self._of_layer(part, i) for part in state)
        return state.chunk(self.num_layers)[i].contiguous()


def _by_step(module: nn.Module, x: Any) -> Any:
    """Apply a module of rows to every step of sequences (B, T, K)."""
    if isinstance(x, PackedSequence):
        if torch.onnx.is_in_onnx_export():  # ONNX knows packed sequences of recurrent layers alone
            padded, lengths = pad_packed_sequence(x, batch_first=True)
            return pack_padded_sequence(_by_step(module, padded), lengths, True, False)
        return x._replace(data=module(x.data))
    steps: Tensor = module(x.flatten(0, 1))  # (B * T, K)
    return steps.reshape(x.shape)
