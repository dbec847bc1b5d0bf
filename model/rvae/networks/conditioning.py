"""What encoder and decoder are told besides values: place in the window, calendar, class."""

import math

import torch
from torch import Tensor, nn

from rvae.config import ModelConfig
from rvae.data.context import Context

__all__ = ["Conditioning", "time_encoding"]


class Conditioning(nn.Module):
    """A context → the conditions of each step and of the whole window, as the configuration says.

    Args:
        config: What is told to whom.
        window: Time steps T.
        classes: How many classes there are.

    Attributes:
        read: Conditioning of a step that the encoder gets.
        bypassing: Conditioning of a step that the decoder gets.
        labels: Conditioning of a window that the decoder gets.
    """

    def __init__(self, config: ModelConfig, window: int, classes: int) -> None:
        super().__init__()
        self.window = window
        self.labels = classes if config.conditional else 0
        timing = 2 * config.time.encoding + 2 * len(config.time.calendar)
        self.read = timing + self.labels
        self.bypassing = timing if config.time.bypass else 0
        places = time_encoding(window, config.time.encoding)
        # Not saved: it follows from the configuration.
        self.register_buffer("places", places, persistent=False)

    def of_steps(self, context: Context) -> Tensor:
        """What the encoder reads at each step (B, T, read)."""
        label = self.of_windows(context)[:, None].expand(-1, self.window, -1)
        return torch.cat([self._timing(context), label], dim=2)

    def of_bypass(self, context: Context) -> Tensor:
        """What the decoder is told at each step (B, T, bypassing)."""
        return self._timing(context)[..., : self.bypassing]

    def of_windows(self, context: Context) -> Tensor:
        """What the decoder is told of the window: its class, one-hot (B, labels)."""
        classes = torch.arange(self.labels, device=context.label.device)
        return (context.label[:, None] == classes).to(context.time.dtype)

    def _timing(self, context: Context) -> Tensor:
        places = self.get_buffer("places").expand(len(context.label), -1, -1)
        return torch.cat([places.to(context.time.dtype), context.time], dim=2)


def time_encoding(window: int, pairs: int) -> Tensor:
    """Sine and cosine of each step's place in the window (T, 2 * pairs).

    Wavelengths fall geometrically from the window's length to four steps (after Vaswani et al.
    2017, "Attention is all you need", section 3.5).
    """
    steps = torch.arange(window)[:, None]
    wavelengths = torch.logspace(math.log2(window), 2, pairs, base=2.0)
    angle = 2 * math.pi * steps / wavelengths  # (T, pairs)
    return torch.cat([angle.sin(), angle.cos()], dim=1)
