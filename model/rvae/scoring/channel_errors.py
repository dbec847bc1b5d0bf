"""Errors of reconstructions, by channel."""

import torch
from torch import Tensor

from rvae.data.scaler import Scaler
from rvae.scoring.reconstruction import Reconstruction

__all__ = ["add_categories", "reconstruction_errors", "target"]


def target(x: Tensor, scaler: Scaler) -> Tensor:
    """Scaled windows (B, T, C) in the form of reconstructions (B, T, E), NaN where missing."""
    return torch.from_numpy(scaler.one_hot(x.cpu().numpy())).to(x.device)


def add_categories(errors: Tensor, scaler: Scaler) -> Tensor:
    """Errors (B, T, E), summed over the categories of each channel (B, T, C)."""
    counts = [count or 1 for count in scaler.categories]
    if len(counts) == errors.shape[2]:
        return errors
    return torch.stack([part.sum(2) for part in torch.split(errors, counts, dim=2)], dim=2)


def reconstruction_errors(reconstruction: Reconstruction, scaler: Scaler) -> Tensor:
    """Squared errors of reconstructions (B, T, C), NaN where missing."""
    squares = (reconstruction.p.mean - target(reconstruction.x, scaler)).square()  # (B, T, E)
    return add_categories(squares, scaler)
