"""Evidence lower bounds of windows."""

import numpy as np
import torch
from numpy.typing import NDArray

from rvae.data.window_dataset import WindowDataset
from rvae.inference.artifact import Artifact
from rvae.networks.noise import window_noise
from rvae.networks.objective import negative_elbo
from rvae.networks.tensor_batch import TensorBatch

__all__ = ["lower_bounds"]


@torch.inference_mode()
def lower_bounds(artifact: Artifact, windows: WindowDataset) -> NDArray[np.float64]:
    """Evidence lower bounds of log p(x) of all windows (W,), in nats.

    It is the negative loss at beta = 1, with one latent per window drawn from q(z|x), always the
    same one. The density of numeric values is that in the data's units: a scaler that was fitted to
    other data does not change what it is compared with.

    Args:
        artifact: The model.
        windows: Its windows.
    """
    network, scaler, latent = artifact.build(), artifact.card.scaler, artifact.card.model.latent
    log_scale = torch.tensor(scaler.scale, dtype=torch.float64).log()  # (C,)
    bounds: list[NDArray[np.float64]] = []
    first = 0
    for x, context in map(TensorBatch.of, windows.batches()):
        noise = window_noise(range(first, first + len(x)), latent, seed=0)
        first += len(x)
        mask = ~x.isnan()
        terms = negative_elbo(network, x, mask, context, noise)
        loss = (terms.reconstruction + terms.kl.sum(1)).double()  # (B,)
        bounds.append((-loss - (mask * log_scale).sum((1, 2))).numpy())
    return np.concatenate(bounds)
