"""Normalization and initialization of layers, the same for every architecture."""

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn

__all__ = ["initialize", "initialize_weight", "normalization"]

INITIALIZERS: dict[str, Callable[[Tensor], Tensor]] = {
    "xavier": nn.init.xavier_uniform_,
    "kaiming": nn.init.kaiming_uniform_,
    "orthogonal": nn.init.orthogonal_,
}


def normalization(kind: Literal["none", "batch", "layer"], width: int) -> list[nn.Module]:
    """The normalization after a layer, if there is one: of (B, width) or (B, width, steps).

    "batch" is Ioffe and Szegedy 2015, "Batch normalization", eq. 1, for each unit over windows and
    steps. "layer" is Ba et al. 2016, "Layer normalization", eq. 3, for each window over units and
    steps.
    """
    match kind:
        case "none":
            return []
        case "batch":
            return [nn.BatchNorm1d(width)]
        case "layer":
            return [nn.GroupNorm(1, width)]  # one group: of all units


def initialize(layer: nn.Linear | nn.modules.conv._ConvNd, initializer: str) -> None:
    """Initialize the weights of a layer, with biases of zero; "default" is PyTorch's."""
    if initializer != "default":
        initialize_weight(layer.weight, initializer)
        assert layer.bias is not None
        nn.init.zeros_(layer.bias)


def initialize_weight(weight: Tensor, initializer: str) -> None:
    """Initialize a weight by an initializer other than "default".

    "xavier" is Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward
    neural networks", eq. 16; "kaiming" is He et al. 2015, "Delving deep into rectifiers", eq. 10,
    uniform; "orthogonal" is Saxe et al. 2014, "Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks".
    """
    INITIALIZERS[initializer](weight)
