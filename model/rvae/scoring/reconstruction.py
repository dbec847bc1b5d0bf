"""Reconstruction of windows by a network, as input of scorers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Distribution

from rvae.data.window_dataset import WindowDataset
from rvae.networks.context import Context
from rvae.networks.tensor_batch import TensorBatch
from rvae.networks.vae import VAE

__all__ = [
    "Reconstruction",
    "measure_windows",
    "reconstruct",
]


@dataclass(frozen=True)
class Reconstruction:
    """A batch of windows, and its reconstruction by the network.

    E is the number of channels, where a categorical channel counts once per category.

    Attributes:
        x: Scaled windows (B, T, C), NaN where missing.
        mask: Where a value was observed (B, T, C).
        context: Context of the windows, with the level and spread that were removed.
        latent: Centre of q(z|x) (B, D).
        p: p(x|z) at the centre of q(z|x), over (B, T, C). Its mean is (B, T, E).
    """

    x: Tensor
    mask: Tensor
    context: Context
    latent: Tensor
    p: Distribution


def reconstruct(network: VAE, x: Tensor, context: Context) -> Reconstruction:
    """Encode scaled windows (B, T, C), NaN where missing, and decode the centre of q(z|x)."""
    mask = ~x.isnan()
    posterior, context = network.encode(x, mask, context)
    latent = posterior.centre  # (B, D)
    return Reconstruction(x, mask, context, latent, network.decode(latent, context))


def measure_windows(
    network: VAE, windows: WindowDataset, count: int, measure: Callable[[Reconstruction], Tensor]
) -> NDArray[np.float32]:
    """A measurement (B, ...) of at most `count` windows, evenly spaced among all: (W, ...)."""
    batches = map(TensorBatch.of, windows.batches(count))
    return np.concatenate([measure(reconstruct(network, *batch)).numpy() for batch in batches])
