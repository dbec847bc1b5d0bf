"""LSTM encoder and decoder, and the start that lets them remember a whole window."""

import torch
from torch import Tensor, nn

__all__ = ["RecurrentDecoder", "RecurrentEncoder", "carry_forward", "last_observed"]


class RecurrentEncoder(nn.Module):
    """Windows → the top layer's hidden state at the last observed step.

    Args:
        channels: Channels C of a window.
        hidden: Hidden units H of each layer.
        depth: Number of layers.
        dropout: Dropout between layers.
        horizon: Time steps that the memory should span at the start of training.
    """

    def __init__(
        self, channels: int, hidden: int, depth: int, dropout: float, horizon: int
    ) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, hidden, depth, batch_first=True, dropout=dropout)
        initialize_lstm(self.lstm, horizon)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Summarise windows.

        Args:
            x: Scaled values (B, T, C); what stands at missing places is ignored.
            mask: Where a value was observed (B, T, C).

        Returns:
            Hidden states (B, H).
        """
        states, _ = self.lstm(carry_forward(x, mask))  # (B, T, H)
        return states[torch.arange(len(x), device=x.device), last_observed(mask)]  # (B, H)


class RecurrentDecoder(nn.Module):
    """Latents → one vector of likelihood parameters a time step.

    The latent alone sets the initial state of every layer: through it passes all that the
    decoder knows of the window. The input at each step is a clock, the same for every window.

    Args:
        latent: Latent dimensions D.
        outputs: Parameters a time step.
        hidden: Hidden units H of each layer.
        depth: Number of layers.
        dropout: Dropout between layers.
        horizon: Time steps T of a full window; the clock runs from -1 to 1 over it.
    """

    def __init__(
        self, latent: int, outputs: int, hidden: int, depth: int, dropout: float, horizon: int
    ) -> None:
        super().__init__()
        self.horizon = horizon
        self.start = nn.Linear(latent, hidden)
        self.lstm = nn.LSTM(1, hidden, depth, batch_first=True, dropout=dropout)
        self.output = nn.Linear(hidden, outputs)
        initialize_lstm(self.lstm, horizon)

    def forward(self, z: Tensor) -> Tensor:
        """Unroll latents (B, D) into parameters (B, T, outputs)."""
        cell = self.start(z).expand(self.lstm.num_layers, -1, -1).contiguous()  # (depth, B, H)
        clock = torch.linspace(-1, 1, self.horizon, device=z.device, dtype=z.dtype)
        clock = clock[None, :, None].expand(len(z), -1, -1)  # (B, T, 1)
        # The cell is what an LSTM remembers by: a latent that enters through the hidden state
        # alone has to pass the input gate of the first step before anything can hold it.
        states, _ = self.lstm(clock, (torch.tanh(cell), cell))  # (B, T, H)
        return self.output(states)


def initialize_lstm(lstm: nn.LSTM, horizon: int) -> None:
    """Give every unit of an LSTM a time scale between one step and `horizon` steps.

    Chrono initialisation (Tallec and Ollivier 2018, "Can recurrent neural networks warp time?",
    eq. 16) draws the forget gates' biases from log U(1, horizon - 1) and sets the input gates'
    to minus that. With PyTorch's default a cell forgets half its content at each step, the
    latent's influence is gone long before the window's end, and the decoder learns the mean
    curve instead. Recurrent weights start orthogonal (Saxe et al. 2014).
    """
    for name, parameter in lstm.named_parameters():
        gates = parameter.data.chunk(4)  # input, forget, cell, output
        if name.startswith("weight_ih"):
            for gate in gates:
                nn.init.xavier_uniform_(gate)
        elif name.startswith("weight_hh"):
            for gate in gates:
                nn.init.orthogonal_(gate)
        else:
            nn.init.zeros_(parameter)
        if name.startswith("bias_ih"):
            spans = torch.empty(lstm.hidden_size).uniform_(1, max(horizon - 1, 2))
            gates[1].copy_(spans.log())
            gates[0].copy_(-spans.log())


def last_observed(mask: Tensor) -> Tensor:
    """Index of the last step at which any channel was observed: (B, T, C) → (B,), 0 where none."""
    steps = torch.arange(mask.shape[1], device=mask.device)
    return (mask.any(-1) * steps).amax(1)


def carry_forward(x: Tensor, mask: Tensor) -> Tensor:
    """Put the last observed value of its channel at each missing place, zero before the first.

    This is only what the encoder looks at: a missing value enters no loss and no score.
    """
    steps = torch.arange(x.shape[1], device=x.device)[None, :, None]
    source = torch.where(mask, steps, -1).cummax(1).values  # (B, T, C)
    filled = x.nan_to_num().gather(1, source.clamp(min=0))
    return torch.where(source >= 0, filled, 0.0)
