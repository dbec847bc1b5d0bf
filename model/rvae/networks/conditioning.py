"""Conditions of encoder and decoder: position in the window, calendar, class."""

import math

import torch
from torch import Tensor, nn

from rvae.config import ModelConfig
from rvae.networks.context import Context
from rvae.networks.joining import join

__all__ = ["Conditioning", "time_encoding"]


class Conditioning(nn.Module):
    """A context → the conditions of each step and of the whole window.

    Args:
        config: Which conditions are inputs of encoder and decoder.
        window: Time steps T.
        classes: Number of classes.

    Attributes:
        encoder_width: Conditions per step that are inputs of the encoder.
        decoder_width: Conditions per step that are inputs of the decoder.
        classes: Conditions per window that are inputs of the decoder: its class, one-hot.
    """

    def __init__(self, config: ModelConfig, window: int, classes: int) -> None:
        super().__init__()
        self.window = window
        self.classes = classes if config.conditional else 0
        timing = 2 * config.time.encoding + 2 * len(config.time.calendar)
        self.encoder_width = timing + self.classes
        self.decoder_width = timing if config.time.bypass else 0
        places = time_encoding(window, config.time.encoding)
        # Not saved: it follows from the configuration.
        self.register_buffer("places", places, persistent=False)

    def encoder_inputs(self, context: Context) -> Tensor:
        """Inputs of the encoder at each step (B, T, encoder_width)."""
        label = self.class_inputs(context)[:, None].expand(-1, self.window, -1)  # (B, T, classes)
        return join(self._timing(context), label)  # (B, T, encoder_width)

    def decoder_inputs(self, context: Context) -> Tensor:
        """Inputs of the decoder at each step (B, T, decoder_width)."""
        return self._timing(context)[..., : self.decoder_width]  # (B, T, decoder_width)

    def class_inputs(self, context: Context) -> Tensor:
        """Inputs of the decoder for the whole window: its class, one-hot (B, classes)."""
        classes = torch.arange(self.classes, device=context.label.device)  # (classes,)
        return (context.label[:, None] == classes).to(context.time.dtype)  # (B, classes)

    def _timing(self, context: Context) -> Tensor:
        windows = context.label.shape[0]
        places = self.get_buffer("places").expand(windows, -1, -1)  # (B, T, 2 * pairs)
        return join(places.to(context.time.dtype), context.time)  # (B, T, timing)


def time_encoding(window: int, pairs: int) -> Tensor:
    """Sine and cosine of each step's position in the window (T, 2 * pairs).

    Wavelengths fall geometrically from the window's length to four steps (after Vaswani et al.
    2017, "Attention is all you need", section 3.5).
    """
    steps = torch.arange(window)[:, None]  # (T, 1)
    wavelengths = torch.logspace(math.log2(window), 2, pairs, base=2.0)  # (pairs,)
    angle = 2 * math.pi * steps / wavelengths  # (T, pairs)
    return torch.cat([angle.sin(), angle.cos()], dim=1)  # (T, 2 * pairs)
