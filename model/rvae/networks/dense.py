"""Fully connected encoder and decoder."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from rvae.config import DenseConfig
from rvae.networks.architecture import Architecture
from rvae.networks.joining import join
from rvae.networks.layer_options import initialize, normalization
from rvae.networks.missing_values import carry_forward

__all__ = ["DENSE", "DenseDecoder", "DenseEncoder"]

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
}


class DenseEncoder(nn.Module):
    """Windows as vectors (B, T * inputs) → last hidden layer (B, H).

    Args:
        config: The layers.
        inputs: Inputs per step.
        window: Time steps T.
    """

    def __init__(self, config: DenseConfig, inputs: int, window: int) -> None:
        super().__init__()
        widths = (window * inputs, *config.layers)
        self.layers = layers(config, widths)
        self.features = widths[-1]

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Windows (B, T, inputs), observed where the mask holds → features (B, features)."""
        return self.layers(carry_forward(x, mask).flatten(1))  # (B, T * inputs) → (B, H)


class DenseDecoder(nn.Module):
    """Latents → all time steps at once, through the encoder's hidden layers in reverse.

    Args:
        config: The layers.
        latent: Latent dimensions D.
        conditions: Conditions per step.
        outputs: Parameters per time step.
        window: Time steps T.
    """

    def __init__(
        self, config: DenseConfig, latent: int, conditions: int, outputs: int, window: int
    ) -> None:
        super().__init__()
        widths = (latent + window * conditions, *reversed(config.layers))
        self.shape = (window, outputs)
        self.layers = layers(config, widths)
        self.output = nn.Linear(widths[-1], window * outputs)

    def forward(self, z: Tensor, conditions: Tensor) -> Tensor:
        """Latents (B, D), conditions (B, T, conditions) → parameters (B, T, outputs)."""
        inputs = join(z, conditions.flatten(1))  # (B, D + T * conditions)
        return self.output(self.layers(inputs)).unflatten(1, self.shape)  # (B, T, outputs)


def layers(config: DenseConfig, widths: Sequence[int]) -> nn.Sequential:
    """Hidden layers between consecutive widths; none for a single width."""
    made: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        linear = nn.Linear(inputs, outputs)
        initialize(linear, config.initializer)
        made += [
            linear,
            *normalization(config.normalization, outputs),
            ACTIVATIONS[config.activation](),
            nn.Dropout(config.dropout),
        ]
    return nn.Sequential(*made)


DENSE = Architecture(DenseEncoder, DenseDecoder, DenseConfig)
