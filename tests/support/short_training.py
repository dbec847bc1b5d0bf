"""Trainings of two epochs on a few waves."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rvae.config import (
    DataConfig,
    ModelConfig,
    ReaderConfig,
    RecurrentConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.readers import read
from rvae.networks.tensor_batch import TensorBatch
from rvae.training.fit import FitResult, fit
from rvae.training.module import TrainingModule
from tests.support.waves import waves

__all__ = ["QUICK", "SMALL", "interrupt_at", "train", "train_on"]

QUICK = TrainingConfig(epochs=2, batch_size=20, accelerator="cpu", quantile=0.9)


SMALL = ModelConfig(recurrent=RecurrentConfig(hidden=6), latent=2)


def train(
    folder: Path,
    training: TrainingConfig = QUICK,
    windows: int = 120,
    resume: bool = False,
    **data: Any,
) -> FitResult:
    return train_on(waves(windows, steps=16), folder, training, resume=resume, **data)


def train_on(
    values: NDArray[np.float64],
    folder: Path,
    training: TrainingConfig = QUICK,
    model: ModelConfig = SMALL,
    resume: bool = False,
    **data: Any,
) -> FitResult:
    np.save(folder / "values.npy", values)
    config = DataConfig(str(folder / "values.npy"), **({"window": 16} | data))
    return fit(
        read(config.path, ReaderConfig()),
        TrainingPlan(config, model, training=training),
        folder / "run",
        progress=False,
        resume=resume,
    )


def interrupt_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Ctrl-C while this training step is taken."""
    original = TrainingModule.training_step

    def interrupted(self: TrainingModule, windows: TensorBatch, batch_index: int) -> torch.Tensor:
        if self.global_step == step:
            os.kill(os.getpid(), signal.SIGINT)
        return original(self, windows, batch_index)

    monkeypatch.setattr(TrainingModule, "training_step", interrupted)
