"""Small models of waves, trained where they are asked for."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.config import (
    DataConfig,
    ModelConfig,
    ReaderConfig,
    RecurrentConfig,
    ScoringConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.readers import read
from rvae.training.fit import fit

__all__ = ["STEPS", "WAVES_MODEL", "train_on_waves"]

STEPS = 24
WAVES_MODEL = ModelConfig(
    recurrent=RecurrentConfig(hidden=8, patch=4), linear=True, normalization="instance", latent=4
)
TRAINING = TrainingConfig(epochs=2, batch_size=32, learning_rate=1e-3, quantile=0.95)


def train_on_waves(
    folder: Path,
    values: NDArray[np.float64],
    scoring: ScoringConfig,
    model: ModelConfig = WAVES_MODEL,
    **training: Any,
) -> Path:
    """Train on windows (S, STEPS, C) for seconds, and return the checkpoint."""
    folder.mkdir(exist_ok=True)
    path = folder / "waves.npy"
    np.save(path, values)
    result = fit(
        read(path, ReaderConfig()),
        TrainingPlan(
            DataConfig(str(path), window=STEPS, constant="keep"),
            model,
            scoring=scoring,
            training=replace(TRAINING, accelerator="cpu", **training),
        ),
        folder,
        progress=False,
    )
    return result.checkpoint
