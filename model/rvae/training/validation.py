"""Validation of a network on held-out windows: figures, and examples for pictures."""

from typing import Any

import numpy as np
import torch

from rvae.data.summary import Summary
from rvae.data.window_dataset import WindowDataset
from rvae.evaluation.metrics import ExplainedVariance, active_units
from rvae.inference.card import ModelSpec
from rvae.networks.noise import window_noise
from rvae.networks.tensor_batch import TensorBatch
from rvae.networks.vae import VAE
from rvae.plots.learning import LearningSnapshot

__all__ = ["assess", "take_snapshot"]

MAX_LATENTS, MAX_WINDOWS = 500, 4


@torch.inference_mode()
def assess(vae: VAE, spec: ModelSpec, windows: WindowDataset) -> dict[str, Any]:
    """Measure reconstruction and use of the latent.

    Returns:
        The explained variance, the number of active units, and the KL divergence by latent
        dimension in nats per window.
    """
    explained = ExplainedVariance()
    latents = nats = Summary.empty(spec.model.latent)
    for batch in map(TensorBatch.of, windows.batches()):
        noise = window_noise(range(nats.rows, nats.rows + len(batch.x)), spec.model.latent, 0)
        mask = ~batch.x.isnan()
        q, context = vae.encode(batch.x, mask, batch.context)
        mean = vae.decode(q.centre, context).mean
        explained.add(spec.scaler.one_hot(batch.x.numpy()), mean.numpy())
        latents = latents.merge(q.centre.numpy())
        nats = nats.merge(q.rsample_with_kl(noise)[1].numpy())
    return {
        "explained_variance": explained.value,
        "active_units": active_units(latents.variance),
        "kl": nats.mean.tolist(),
    }


@torch.inference_mode()
def take_snapshot(vae: VAE, spec: ModelSpec, windows: WindowDataset) -> LearningSnapshot:
    """Some latents, and fewer windows with their reconstructions in the data's units.

    Categorical channels are shown as numbers of the categories.
    """
    training = vae.training
    vae.eval()
    device = next(vae.parameters()).device
    batch = TensorBatch.of(windows.__getitems__(windows.evenly_spaced(MAX_LATENTS)))
    x = batch.x.to(device)
    mask = ~x.isnan()
    posterior, context = vae.encode(x, mask, batch.context.to(device))
    z = posterior.centre
    few = np.linspace(0, len(z) - 1, min(len(z), MAX_WINDOWS), dtype=int)
    mean = vae.decode(z, context).mean[few].cpu().numpy()
    vae.train(training)
    return LearningSnapshot(
        latent=z.cpu().numpy(),
        classes=batch.context.label.numpy() if spec.vocabulary.classes else None,
        class_names=spec.vocabulary.classes,
        # Categories are not scaled: an unknown one stays 0, and is never reconstructed.
        windows=batch.x[few].numpy() * np.array(spec.scaler.scale) + np.array(spec.scaler.mean),
        reconstructions=spec.scaler.inverse(mean),
        channels=spec.channels,
    )
