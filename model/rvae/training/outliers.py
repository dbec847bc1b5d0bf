"""Training windows that are probably anomalous, found before anything is learnt from them."""

import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.covariance import MinCovDet

from rvae.data.window_dataset import WindowDataset
from rvae.networks.vae import VAE
from rvae.training.pca_init import components, evenly_spaced, numeric_rows

__all__ = ["drop_outliers"]

DIMENSIONS = 20

# Of the windows, at the most, that the covariance is taken from.
MAX_SUPPORT = 0.75

# Below this share of the variance a component is rounding.
MIN_SHARE = 1e-9


def drop_outliers(windows: WindowDataset, vae: VAE, contamination: float) -> WindowDataset:
    """Training windows without those that are farthest from the others.

    Where a few percent of anomalies look alike, a network learns them as well as anything, and
    neither its errors nor nearest neighbours tell them any more. They are still far from most
    windows: what counts is the Mahalanobis distance in principal components, by the covariance of
    the half to three quarters of the windows that has the smallest determinant (Rousseeuw and Van
    Driessen 1999, "A fast algorithm for the minimum covariance determinant estimator"). Twice the
    share that may be anomalous is left out, for the farthest ones are not all of them anomalous.

    Args:
        windows: Of the training part.
        vae: The model, not yet trained, which says how windows are normalised.
        contamination: Share of the windows that may be anomalous.
    """
    if not vae.features.numeric:
        return windows
    level, axes, along, _ = components(numeric_rows(vae, evenly_spaced(windows)), DIMENSIONS)
    # Short windows have fewer components than are asked for: the others are zero.
    axes = axes[:, axes.any(0) & (along > MIN_SHARE * along.sum())]
    with torch.no_grad():
        scores = np.concatenate(
            [((numeric_rows(vae, b) - level) @ axes).numpy() for b in windows.batches()]
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
        # Of few windows it is less than the whole space that they fill.
        warnings.filterwarnings("ignore", message=".*covariance matrix.*is not full rank.*")
        warnings.filterwarnings("ignore", message="Determinant has increased.*")
        robust.fit(sample / sample.std(axis=0))
    distances: NDArray[np.float64] = robust.mahalanobis(scores / sample.std(axis=0))
    return distances
