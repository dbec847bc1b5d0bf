"""Errors of reconstructions, by channel."""

import torch
from torch import Tensor

from rvae.data.scaler import Scaler
from rvae.scoring.reconstruction import Reconstruction

__all__ = ["add_categories", "observed_mean", "reconstruction_errors", "target"]


def target(x: Tensor, scaler: Scaler) -> Tensor:
    """Scaled windows (B, T, C) in the form of reconstructions (B, T, E), NaN where missing.

    It is `Scaler.one_hot` for tensors.
    """
    if not any(scaler.categories):
        return x
    columns = []
    for i, count in enumerate(scaler.categories):
        column = x[..., i : i + 1]  # (B, T, 1)
        if count:
            codes = torch.arange(1, count + 1, device=x.device)  # (K,)
            column = torch.where(column.isnan(), torch.nan, (column == codes).to(x.dtype))
        columns.append(column)
    return torch.cat(columns, dim=-1)  # (B, T, E)


def observed_mean(values: Tensor) -> Tensor:
    """Mean of values (B, T, C) over the steps where they are not NaN (B, C), NaN without any.

    The same as `nanmean`, in operations that every runtime has.
    """
    observed = ~values.isnan()  # (B, T, C)
    return torch.where(observed, values, 0.0).sum(1) / observed.sum(1)  # (B, C)


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
