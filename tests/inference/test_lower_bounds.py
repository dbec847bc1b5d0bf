from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import norm

from rvae.data.series import Series
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.inference.lower_bounds import lower_bounds
from rvae.networks.noise import window_noise


def test_lower_bounds_are_those_of_densities_in_the_units_of_the_data(
    checkpoint: Path, engine: Engine, fresh: list[np.ndarray]
) -> None:
    artifact = Artifact.load(checkpoint)
    network, scaler = artifact.build(), artifact.card.scaler
    series = np.concatenate([*fresh[:12], np.full((3, 1), np.nan)])  # more than one batch
    windows = engine.windows([Series(series)], 1)
    x = torch.cat([torch.from_numpy(batch.x) for batch in windows.batches()])
    q: Any
    p: Any
    with torch.inference_mode():
        q, context = network.encode(x, ~x.isnan())
        z = q.centre + window_noise(range(len(x)), artifact.card.model.latent, 0) * q.scale
        p = network.decode(z, context)
    mean, scale = scaler.mean[0], scaler.scale[0]
    density = norm.logpdf(x * scale + mean, p.mean * scale + mean, p.scale * scale)
    kl = 0.5 * (q.loc**2 + q.scale**2 - 1) - q.scale.log()
    expected = np.nansum(density, axis=(1, 2)) - kl.sum(1).numpy()
    np.testing.assert_allclose(lower_bounds(artifact, windows), expected, rtol=1e-3, atol=1e-2)
