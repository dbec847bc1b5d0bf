"""A plain variational autoencoder of dense layers, without anything that rvae adds.

Kingma and Welling 2014, "Auto-encoding variational Bayes", ICLR, with normal noise of unit
variance.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.detection.windows import (
    Errors,
    Fit,
    Score,
    of_points,
    of_windows,
    scaling_of,
    vectors_of,
)

__all__ = ["dense_vae", "dense_vae_spread"]

LAYERS = (128, 64)
LATENT = 8
STEPS = 600
BATCH = 128
LEARNING_RATE = 1e-3


class DenseVAE(nn.Module):
    """Encoder and decoder of windows as vectors (B, T·C).

    Args:
        size: Length T·C of the vectors.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.encoder = _layers(size, *LAYERS, 2 * LATENT)
        self.decoder = _layers(LATENT, *reversed(LAYERS), size)

    def loss(self, x: Tensor) -> Tensor:
        """Negative ELBO of vectors (B, T·C), in nats per window, less a constant."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        z = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        error = ((x - self.decoder(z)) ** 2).sum(dim=1) / 2
        kl = (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1) / 2
        return (error + kl).mean()

    def forward(self, x: Tensor) -> Tensor:
        """Decoded centres of the posteriors (B, T·C)."""
        return self.decoder(self.encoder(x)[:, :LATENT])


def _layers(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _trained(vectors: Tensor, seed: int) -> DenseVAE:
    torch.manual_seed(seed)
    vae = DenseVAE(vectors.shape[1])
    optimizer = torch.optim.Adam(vae.parameters(), LEARNING_RATE)
    for _ in range(STEPS):
        loss = vae.loss(vectors[torch.randint(len(vectors), (BATCH,))])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return vae


def _fitted_by(scores: Callable[..., Score]) -> Fit:
    def fit(prefix: NDArray[np.float64], seed: int) -> Score:
        scale = scaling_of(prefix)
        vectors = torch.from_numpy(vectors_of(scale(prefix)).astype(np.float32))
        return scores(scale, _squared_errors(_trained(vectors, seed)))

    return fit


def _squared_errors(vae: DenseVAE) -> Errors:
    @torch.inference_mode()
    def errors(windows: NDArray[np.float64]) -> NDArray[np.float32]:
        x = torch.from_numpy(windows.reshape(len(windows), -1).astype(np.float32))
        squares = ((x - vae(x)) ** 2).numpy().reshape(windows.shape)
        return squares.mean(axis=2)

    return errors


dense_vae = _fitted_by(of_points)
dense_vae_spread = _fitted_by(of_windows)
