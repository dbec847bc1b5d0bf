import logging
import os
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rvae.config import DataConfig, ReaderConfig, TrainingPlan
from rvae.data.series import Dataset, Series
from rvae.errors import FieldError
from rvae.estimators.in_memory import train_in_memory
from rvae.inference.artifact import Artifact
from tests.support.short_training import QUICK, SMALL, interrupt_at
from tests.support.waves import waves

WINDOW = 8


def data() -> Dataset:
    return Dataset([Series(waves(1, 400)[0], "0")], ("value",), ReaderConfig())


PLAN = TrainingPlan(DataConfig("", WINDOW), SMALL, training=QUICK)


def settings() -> dict[str, Any]:
    """What a training changes in the process."""
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state()[1].tolist(),
        "torch": torch.get_rng_state().tolist(),
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "environment": dict(os.environ),
        "logging": logging.getLogger("pytorch_lightning").level,
    }


def fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise FieldError("training", "fails")

    monkeypatch.setattr("rvae.training.fit.calibrate", fail)


@pytest.mark.parametrize("break_it", [None, fails])
def test_it_leaves_nothing_but_its_result(
    break_it: Callable[[pytest.MonkeyPatch], None] | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("rvae.estimators.in_memory.compute_threads", lambda: 2)
    before = settings()
    if break_it is None:
        trained = train_in_memory(data(), PLAN)
        assert Artifact.from_bytes(trained.checkpoint).card.window == WINDOW
        assert not trained.interrupted
    else:
        break_it(monkeypatch)
        with pytest.raises(FieldError, match="fails"):
            train_in_memory(data(), PLAN)
    assert settings() == before
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr() == ("", "")


def test_an_interrupted_training_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_at(monkeypatch, 1)
    assert train_in_memory(data(), PLAN).interrupted
