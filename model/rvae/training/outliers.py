"""Removal of training windows that are probably anomalous, before training."""

import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.covariance import MinCovDet

from rvae.data.window_dataset import WindowDataset
from rvae.networks.tensor_batch import TensorBatch
from rvae.networks.vae import VAE
from rvae.training.pca_init import components, evenly_spaced, numeric_rows

__all__ = ["drop_outliers"]

DIMENSIONS = 20

# Maximum number of windows from which the covariance is estimated.
MAX_SUPPORT = 0.75

# Components with a smaller share of the variance are rounding errors.
MIN_SHARE = 1e-9


def drop_outliers(windows: WindowDataset, vae: VAE, contamination: float) -> WindowDataset:
    """Training windows without those that are farthest from the others.

    A few percent of similar anomalies are learned by a network like normal windows: neither errors
    nor nearest neighbours detect them any more. They are still far from most windows, by the
    Mahalanobis distance in principal components, with the covariance of the half to three quarters
    of the windows that has the smallest determinant (Rousseeuw and Van Driessen 1999, "A fast
    algorithm for the minimum covariance determinant estimator"). Twice the expected share of
    anomalies is left out, because not all of the farthest windows are anomalous.

    Args:
        windows: Windows of the training part.
        vae: The untrained model, which normalizes windows.
        contamination: Share of the windows that may be anomalous.
    """
    if not vae.features.numeric:
        return windows
    level, axes, along, _ = components(numeric_rows(vae, evenly_spaced(windows)), DIMENSIONS)
    # Short windows have fewer components than requested: the others are zero.
    axes = axes[:, axes.any(0) & (along > MIN_SHARE * along.sum())]
    with torch.no_grad():
        scores = np.concatenate(
            [
                ((numeric_rows(vae, TensorBatch.of(batch)) - level) @ axes).numpy()
                for batch in windows.batches()
            ]
        )
    distances = _distances(scores, contamination)
    return windows.subset(
        np.flatnonzero(distances <= np.quantile(distances, 1 - 2 * contamination))
    )


def _distances(scores: NDArray[np.float32], contamination: float) -> NDArray[np.float64]:
    """Robust Mahalanobis distances of rows (W, D)."""
    sample = scores[np.linspace(0, len(scores) - 1, min(len(scores), 2000), dtype=int)]
    robust = MinCovDet(
        support_fraction=max(0.5, min(MAX_SUPPORT, 1 - 2 * contamination)), random_state=0
    )
    with warnings.catch_warnings():
        # Few windows do not span the whole space.
        warnings.filterwarnings("ignore", message=".*covariance matrix.*is not full rank.*")
        warnings.filterwarnings("ignore", message="Determinant has increased.*")
        robust.fit(sample / sample.std(axis=0))
    distances: NDArray[np.float64] = robust.mahalanobis(scores / sample.std(axis=0))
    return distances
