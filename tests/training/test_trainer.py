import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from rvae.config import (
    DataConfig,
    DenseConfig,
    ModelConfig,
    ObjectiveConfig,
    ReaderConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.readers import read
from rvae.inference.checkpoints import CARD_KEY
from rvae.inference.engine import Engine
from rvae.training.fit import fit
from tests.support.short_training import QUICK, interrupt_at, train
from tests.support.waves import waves


def test_a_seed_repeats_to_the_bit(tmp_path: Path) -> None:
    runs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        runs.append(torch.load(train(tmp_path / name).checkpoint, weights_only=True))
    for key, tensor in runs[0]["state_dict"].items():
        assert torch.equal(tensor, runs[1]["state_dict"][key]), key
    assert runs[0][CARD_KEY]["calibration"] == runs[1][CARD_KEY]["calibration"]


@pytest.mark.parametrize("step", [2, 7])
def test_interrupting_keeps_what_was_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    interrupt_at(monkeypatch, step)
    handler = signal.getsignal(signal.SIGINT)
    outcome = train(tmp_path, TrainingConfig(epochs=500, batch_size=20, quantile=0.9))
    assert outcome.interrupted
    assert signal.getsignal(signal.SIGINT) is handler
    assert len(Engine.load(outcome.checkpoint).analyse([waves(1, 16)[0]])[0].score) == 1


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop", "sgd"])
def test_every_optimizer_learns(
    tmp_path: Path, optimizer: Literal["adam", "adamw", "rmsprop", "sgd"]
) -> None:
    rate = 1e-2 if optimizer.startswith("adam") else 1e-3
    training = replace(
        QUICK, epochs=12, optimizer=optimizer, learning_rate=rate, schedule="constant"
    )
    outcome = train(tmp_path, training)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(outcome.checkpoint.parent / "logs")).Reload()
    losses = [event.value for event in events.Scalars("validation/loss")]
    assert losses[-1] < losses[0]


def test_training_off_the_main_thread_works(tmp_path: Path) -> None:
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(train(tmp_path)))
    thread.start()
    thread.join()
    assert outcomes and not outcomes[0].interrupted


def test_early_stopping_ends_before_the_last_epoch(tmp_path: Path) -> None:
    # A rate this high finds nothing better after the first epochs.
    outcome = train(
        tmp_path,
        TrainingConfig(epochs=200, batch_size=20, patience=1, learning_rate=1.0, quantile=0.9),
    )
    assert outcome.card.training["epoch"] < 150


@pytest.mark.parametrize("patience", [1, 3])
def test_early_stopping_ends_after_as_many_epochs_as_there_is_patience(
    tmp_path: Path, patience: int
) -> None:
    """No loss is better by so much: of 40 epochs four warm up, the fifth is the best one."""
    training = replace(QUICK, epochs=40, improvement=1e9, patience=patience)
    np.save(tmp_path / "values.npy", waves(120, steps=16))
    plan = TrainingPlan(
        DataConfig(str(tmp_path / "values.npy"), window=16),
        ModelConfig("dense", dense=DenseConfig((4,)), latent=2),
        ObjectiveConfig(warmup=0),
        training=training,
    )
    fit(read(plan.data.path, ReaderConfig()), plan, tmp_path / "run", progress=False)
    last = torch.load(tmp_path / "run" / "state" / "last.ckpt", weights_only=True)
    assert last["epoch"] + 1 == 5 + patience
