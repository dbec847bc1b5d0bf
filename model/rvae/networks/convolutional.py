"""Convolutional encoder and decoder with attention, for windows of any length."""

import math

import torch
from torch import Tensor, nn

from rvae.config import ConvolutionalConfig
from rvae.networks.architecture import Architecture
from rvae.networks.gru import Gru
from rvae.networks.joining import join
from rvae.networks.layer_options import initialize, normalization
from rvae.networks.missing_values import carry_forward

__all__ = ["CONVOLUTIONAL", "ConvolutionalDecoder", "ConvolutionalEncoder"]


class ConvolutionalEncoder(nn.Module):
    """Strided convolutions, then attention over the coarse steps; all of these are the features.

    Args:
        config: The layers.
        inputs: Inputs per step.
        window: Time steps T.
    """

    def __init__(self, config: ConvolutionalConfig, inputs: int, window: int) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        # The mask is added as channels: values alone do not show which ones were carried forward.
        inputs *= 2
        for _ in range(blocks_of(config, window)):
            layer = nn.Conv1d(inputs, config.filters, config.kernel, 2, config.kernel // 2)
            blocks += block(config, layer)
            inputs = config.filters
        self.blocks = nn.Sequential(*blocks)
        self.attention = Attention(config, coarse_steps(config, window))
        self.features = config.filters * coarse_steps(config, window)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Windows (B, T, inputs), observed where the mask holds → features (B, features)."""
        inputs = torch.cat([carry_forward(x, mask), mask.to(x.dtype)], dim=2)  # (B, T, 2 * inputs)
        coarse = self.blocks(inputs.transpose(1, 2)).transpose(1, 2)  # (B, T', filters)
        return self.attention(coarse).flatten(1)  # (B, T' * filters)


class ConvolutionalDecoder(nn.Module):
    """Latents → coarse steps → transposed convolutions → a GRU → attention.

    Args:
        config: The layers.
        latent: Latent dimensions D.
        conditions: Conditions per step.
        outputs: Parameters per time step.
        window: Time steps T.
    """

    def __init__(
        self, config: ConvolutionalConfig, latent: int, conditions: int, outputs: int, window: int
    ) -> None:
        super().__init__()
        self.window = window
        self.coarse = (config.filters, coarse_steps(config, window))
        self.start = nn.Linear(latent, math.prod(self.coarse))
        blocks: list[nn.Module] = []
        for _ in range(blocks_of(config, window)):
            layer = nn.ConvTranspose1d(
                config.filters, config.filters, config.kernel, 2, config.kernel // 2, 1
            )
            blocks += block(config, layer)
        self.blocks = nn.Sequential(*blocks)
        self.recurrent = Gru(config.filters + conditions, config.filters, batch_first=True)
        self.attention = Attention(config, window)
        self.output = nn.Linear(config.filters, outputs)

    def forward(self, z: Tensor, conditions: Tensor) -> Tensor:
        """Latents (B, D), conditions (B, T, conditions) → parameters (B, T, outputs)."""
        # Not unflattened: the exporter would take B for the constant that it is in its example.
        coarse = self.start(z).reshape(-1, *self.coarse)  # (B, filters, coarse steps)
        fine = self.blocks(coarse)  # (B, filters, ≥ T)
        fine = fine[..., : self.window].transpose(1, 2)  # (B, T, filters)
        steps = join(fine, conditions)  # (B, T, filters + conditions)
        states, _ = self.recurrent(steps)  # (B, T, filters)
        return self.output(self.attention(states))  # (B, T, outputs)


class Attention(nn.Module):
    """Residual self-attention over time, with a learned encoding of each position."""

    def __init__(self, config: ConvolutionalConfig, steps: int) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.randn(steps, config.filters) * 0.02)
        self.norm = nn.LayerNorm(config.filters)
        self.heads = nn.MultiheadAttention(config.filters, config.heads, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, steps, filters) → (B, steps, filters)."""
        normed = self.norm(x + self.place)  # (B, steps, filters)
        inputs = nn.functional.linear(normed, self.heads.in_proj_weight, self.heads.in_proj_bias)
        query, key, value = map(self._by_head, inputs.chunk(3, dim=2))
        attended = nn.functional.scaled_dot_product_attention(query, key, value)
        return x + self.heads.out_proj(attended.transpose(1, 2).flatten(2))

    def _by_head(self, x: Tensor) -> Tensor:
        """(B, steps, filters) → (B, heads, steps, filters / heads)."""
        # The operation of `MultiheadAttention` as a whole cannot be exported for any B.
        return x.unflatten(2, (self.heads.num_heads, -1)).transpose(1, 2)


def block(config: ConvolutionalConfig, layer: nn.Conv1d | nn.ConvTranspose1d) -> list[nn.Module]:
    """A convolution and what follows it."""
    initialize(layer, config.initializer)
    return [
        layer,
        *normalization(config.normalization, config.filters),
        nn.GELU(),
        nn.Dropout(config.dropout),
    ]


def blocks_of(config: ConvolutionalConfig, window: int) -> int:
    """Number of blocks, at most as often as the window can be halved."""
    return min(config.blocks, (window - 1).bit_length())


def coarse_steps(config: ConvolutionalConfig, window: int) -> int:
    """Time steps of a window after all blocks: each one halves them, rounded up."""
    return math.ceil(window / 2 ** blocks_of(config, window))


CONVOLUTIONAL = Architecture(ConvolutionalEncoder, ConvolutionalDecoder, ConvolutionalConfig)
