"""What a network makes of held-out windows: in numbers, and to be looked at."""

from typing import Any

import numpy as np
import torch

from rvae.data.summary import Summary
from rvae.data.window_dataset import Batch, WindowDataset
from rvae.evaluation.metrics import ExplainedVariance, active_units
from rvae.inference.card import ModelSpec
from rvae.networks.noise import window_noise
from rvae.networks.vae import VAE
from rvae.plots.learning import LearningSnapshot

__all__ = ["assess", "look"]

LATENTS_TO_LOOK_AT, WINDOWS_TO_LOOK_AT = 500, 4


@torch.inference_mode()
def assess(vae: VAE, card: ModelSpec, windows: WindowDataset) -> dict[str, Any]:
    """How much is reconstructed, and by what.

    Returns:
        The explained variance, the number of active units, and the KL divergence by latent
        dimension in nats a window.
    """
    explained = ExplainedVariance()
    latents = nats = Summary.empty(card.model.latent)
    for batch in windows.batches():
        noise = window_noise(range(nats.rows, nats.rows + len(batch.x)), card.model.latent, 0)
        mask = ~batch.x.isnan()
        q, context = vae.encode(batch.x, mask, batch.context)
        said = vae.decode(q.centre, context).mean
        explained.add(card.scaler.one_hot(batch.x.numpy()), said.numpy())
        latents = latents.merge(q.centre.numpy())
        nats = nats.merge(q.draw(noise)[1].numpy())
    return {
        "explained_variance": explained.value,
        "active_units": active_units(latents.variance),
        "kl": nats.mean.tolist(),
    }


@torch.inference_mode()
def look(vae: VAE, card: ModelSpec, windows: WindowDataset) -> LearningSnapshot:
    """Some latents, and fewer windows with their reconstructions in the data's units.

    Of categorical channels it is the numbers of the categories that are shown.
    """
    training = vae.training
    vae.eval()
    device = next(vae.parameters()).device
    count = min(len(windows), LATENTS_TO_LOOK_AT)
    batch: Batch = windows.__getitems__(np.linspace(0, len(windows) - 1, count, dtype=int).tolist())
    x = batch.x.to(device)
    mask = ~x.isnan()
    posterior, context = vae.encode(x, mask, batch.context.to(device))
    z = posterior.centre
    few = np.linspace(0, count - 1, min(count, WINDOWS_TO_LOOK_AT), dtype=int)
    said = vae.decode(z, context).mean[few].cpu().numpy()
    vae.train(training)
    return LearningSnapshot(
        latent=z.cpu().numpy(),
        classes=batch.context.label.numpy() if card.vocabulary.classes else None,
        class_names=card.vocabulary.classes,
        # Categories are not scaled: an unknown one stays 0, which no reconstruction is.
        windows=batch.x[few].numpy() * np.array(card.scaler.scale) + np.array(card.scaler.mean),
        reconstructions=card.scaler.inverse(said),
        channels=card.channels,
    )
