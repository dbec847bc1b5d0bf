"""Recurrent encoder and decoder, initialized to remember a whole window."""

import math

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rvae.config import RecurrentConfig
from rvae.networks.architecture import Architecture
from rvae.networks.gru import Gru
from rvae.networks.joining import join
from rvae.networks.layer_options import initialize_weight
from rvae.networks.lstm import Lstm
from rvae.networks.missing_values import carry_forward, last_observed
from rvae.networks.normalized_recurrent import NormalizedRecurrent

__all__ = ["RECURRENT", "RecurrentDecoder", "RecurrentEncoder"]

State = Tensor | tuple[Tensor, Tensor]


class RecurrentEncoder(nn.Module):
    """Windows → the top layer's hidden state at the last observed step.

    Args:
        config: The layers.
        inputs: Inputs per step.
        window: Time steps that the memory should span at the start of training.
    """

    def __init__(self, config: RecurrentConfig, inputs: int, window: int) -> None:
        super().__init__()
        self.patch = config.patch
        self.layers = layers(
            config, inputs * config.patch, math.ceil(window / config.patch), config.bidirectional
        )
        self.features = config.hidden * (1 + config.bidirectional)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Summarize windows.

        Args:
            x: Features (B, T, inputs); missing ones are ignored.
            mask: Where a feature was observed (B, T, inputs).

        Returns:
            Hidden states (B, features), concatenated for both directions.
        """
        last = last_observed(mask) // self.patch  # (B,)
        filled = patches(carry_forward(x, mask), self.patch)  # (B, patches, patch * inputs)
        windows = torch.arange(x.shape[0], device=x.device)
        if not self.layers.bidirectional:
            states, _ = self.layers(filled)  # (B, patches, H)
            return self.dropout(states[windows, last])  # (B, H)
        # Backwards the padding would come first, so it is cut off.
        packed = pack_padded_sequence(filled, last.cpu() + 1, True, enforce_sorted=False)
        outputs, _ = self.layers(packed)
        states, _ = pad_packed_sequence(outputs, batch_first=True)  # (B, patches, 2 * H)
        forwards = states[windows, last, : self.features // 2]  # (B, H)
        backwards = states[:, 0, self.features // 2 :]  # (B, H)
        return self.dropout(torch.cat([forwards, backwards], dim=1))  # (B, 2 * H)


class RecurrentDecoder(nn.Module):
    """Latents → one vector of likelihood parameters per time step.

    The latent sets the initial state of every layer; it is the decoder's only information on the
    window's values. Other inputs at each step are a clock, the same for every window, and the
    conditions.

    Args:
        config: The layers.
        latent: Latent dimensions D.
        conditions: Conditions per step.
        outputs: Parameters per time step.
        window: Time steps T.
    """

    def __init__(
        self, config: RecurrentConfig, latent: int, conditions: int, outputs: int, window: int
    ) -> None:
        super().__init__()
        self.window = window
        self.patch = config.patch
        self.steps = math.ceil(window / config.patch)
        self.conditioning = config.conditioning
        self.start = nn.Linear(latent, config.hidden)
        width = outputs * config.patch
        more = {"start": 0, "every_step": latent, "feedback": width}[config.conditioning]
        inputs = 1 + conditions * config.patch + more
        self.cell = config.cell
        self.layers = layers(config, inputs, self.steps, bidirectional=False)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.hidden, width)

    def forward(self, z: Tensor, conditions: Tensor) -> Tensor:
        """Unroll latents (B, D), conditions (B, T, conditions) into parameters (B, T, outputs)."""
        clock = torch.linspace(-1, 1, self.steps, device=z.device, dtype=z.dtype)  # (patches,)
        clocks = clock[None, :, None].expand(z.shape[0], -1, -1)  # (B, patches, 1)
        # (B, patches, 1 + patch * conditions)
        inputs = join(clocks, patches(conditions, self.patch))
        if self.conditioning == "feedback":
            return self._by_step(self._unroll(inputs, self._state(z)))
        if self.conditioning == "every_step":
            repeated = z[:, None].expand(-1, self.steps, -1)  # (B, patches, D)
            inputs = torch.cat([inputs, repeated], dim=2)
        states, _ = self.layers(inputs, self._state(z))  # (B, patches, H)
        return self._by_step(self.output(self.dropout(states)))  # (B, T, outputs)

    def _by_step(self, outputs: Tensor) -> Tensor:
        """Outputs of patches (B, patches, patch * outputs) → outputs of steps (B, T, outputs)."""
        width = self.output.out_features // self.patch
        return outputs.reshape(outputs.shape[0], -1, width)[:, : self.window]

    def _state(self, z: Tensor) -> State:
        start = self.start(z).expand(self.layers.num_layers, -1, -1).contiguous()  # (depth, B, H)
        # The memory of an LSTM is its cell: a latent in the hidden state alone would have to pass
        # the input gate of the first step.
        return (torch.tanh(start), start) if self.cell == "lstm" else torch.tanh(start)

    def _unroll(self, inputs: Tensor, state: State) -> Tensor:
        output = inputs.new_zeros(inputs.shape[0], 1, self.output.out_features)  # (B, 1, width)
        outputs = []
        for step in torch.split(inputs, 1, dim=1):
            hidden, state = self.layers(torch.cat([step, output], dim=2), state)  # (B, 1, H)
            output = self.output(self.dropout(hidden))  # (B, 1, patch * outputs)
            outputs.append(output)
        return torch.cat(outputs, dim=1)  # (B, patches, patch * outputs)


def patches(steps: Tensor, patch: int) -> Tensor:
    """Steps (B, T, K) → patches of steps (B, ⌈T / patch⌉, patch * K), the last padded with zeros.

    Nie et al. 2023, "A time series is worth 64 words: long-term forecasting with transformers",
    section 3.1, without overlap.
    """
    if patch == 1:
        return steps
    windows, length, width = steps.shape
    padded = nn.functional.pad(steps, (0, 0, 0, -length % patch))
    return padded.reshape(windows, padded.shape[1] // patch, patch * width)


def layers(
    config: RecurrentConfig, inputs: int, window: int, bidirectional: bool
) -> nn.RNNBase | NormalizedRecurrent:
    """Recurrent layers with initial time scales between one step and the window."""
    kind = {"lstm": Lstm, "gru": Gru}[config.cell]
    made: nn.RNNBase | NormalizedRecurrent
    if config.normalization == "none":
        made = kind(
            inputs,
            config.hidden,
            config.depth,
            batch_first=True,
            dropout=config.dropout if config.depth > 1 else 0.0,  # it acts between layers only
            bidirectional=bidirectional,
        )
    else:
        made = NormalizedRecurrent(
            kind,
            inputs,
            config.hidden,
            config.depth,
            config.dropout,
            bidirectional,
            config.normalization,
        )
    for module in made.modules():
        if isinstance(module, nn.RNNBase):
            initialize_gates(module, config, window)
    return made


def initialize_gates(layer: nn.RNNBase, config: RecurrentConfig, window: int) -> None:
    """Initialize every gate on its own, with time scales between one step and the window.

    Chrono initialization (Tallec and Ollivier 2018, "Can recurrent neural networks warp time?",
    eq. 16) draws the biases of forget gates (of update gates in a GRU) from log U(1, window - 1);
    the biases of an LSTM's input gates are minus that. With PyTorch's default a cell forgets half
    its content at each step, the latent's influence is gone long before the window's end, and the
    decoder learns the mean curve instead. By default weights of inputs start as of "xavier", and
    recurrent weights orthogonal (Saxe et al. 2014); with another initializer both start as it says.
    """
    chosen = config.initializer
    for name, parameter in layer.named_parameters():
        # LSTM: input, forget, cell, output. GRU: reset, update, new; the update gate keeps.
        gates = parameter.data.chunk(4 if config.cell == "lstm" else 3)
        if name.startswith("weight"):
            default = "xavier" if name.startswith("weight_ih") else "orthogonal"
            for gate in gates:
                initialize_weight(gate, default if chosen == "default" else chosen)
        else:
            nn.init.zeros_(parameter)
        if name.startswith("bias_ih"):
            spans = torch.empty(config.hidden).uniform_(1, max(window - 1, 2))  # (H,)
            gates[1].copy_(spans.log())
            if config.cell == "lstm":
                gates[0].copy_(-spans.log())


RECURRENT = Architecture(RecurrentEncoder, RecurrentDecoder, RecurrentConfig)
