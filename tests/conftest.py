"""What several tests need: one small model, and a server that serves it."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rvae.config import (
    DataConfig,
    ModelConfig,
    ReaderConfig,
    RecurrentConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.readers import read
from rvae.data.sketch import ChannelSketch
from rvae.inference import checkpoints
from rvae.inference.engine import Engine
from rvae.serving.model_store import Archive, list_archives
from rvae.serving.packaging import build_archive
from rvae.serving.torchserve import Endpoint, fresh_state
from rvae.training.fit import FitResult, fit
from tests.support.make_checkpoints import CHECKPOINTS, STEPS
from tests.support.waves import anomalous_waves, waves

# The models here are so small that threads would spend their time waiting for each other; also
# those of the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")
torch.set_num_threads(1)

# Rooms whose tests take longest: two processes end together if these come first.
SLOW = ("training", "end_to_end", "serving", "cli")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow rooms."""
    tests = Path(__file__).parent
    rooms = {item: item.path.relative_to(tests).parts[0] for item in items}
    items.sort(key=lambda item: SLOW.index(rooms[item]) if rooms[item] in SLOW else len(SLOW))


@pytest.fixture(scope="session")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> FitResult:
    """A model of waves, trained here for a few seconds as the committed one was."""
    folder = tmp_path_factory.mktemp("model")
    path = folder / "waves.npy"
    np.save(path, waves(600))
    reader = ReaderConfig(columns=("height",))
    return fit(
        read(path, reader),
        TrainingPlan(
            DataConfig(str(path), window=STEPS),
            ModelConfig(recurrent=RecurrentConfig(hidden=24), latent=4),
            training=TrainingConfig(epochs=40, batch_size=25, accelerator="cpu", quantile=0.98),
        ),
        folder,
        progress=False,
    )


@pytest.fixture(scope="session")
def checkpoint() -> Path:
    """The committed model of waves."""
    return CHECKPOINTS / "waves.ckpt"


@pytest.fixture(scope="session")
def engine(checkpoint: Path) -> Engine:
    return Engine.load(checkpoint)


@pytest.fixture(scope="session")
def fresh() -> list[np.ndarray]:
    """Normal windows (T, C) that the model has not seen."""
    return list(waves(60, seed=7))


@pytest.fixture(scope="session")
def anomalous() -> list[np.ndarray]:
    """Windows (T, C) with a bump."""
    return list(anomalous_waves(60, seed=8))


@pytest.fixture(scope="session")
def acquainted(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model, which knows how waves are distributed: it can tell drift."""
    card, *weights = checkpoints.read(checkpoint)
    card = replace(card, sketch=(ChannelSketch.fit(waves(600).reshape(-1)),))
    known = tmp_path_factory.mktemp("known") / "waves.ckpt"
    checkpoints.write(known, card.to_dict(), *weights)
    return known


@pytest.fixture(scope="session")
def store(acquainted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model store with two versions of one model."""
    folder = tmp_path_factory.mktemp("store")
    for version in ("1.0", "1.10"):
        build_archive(acquainted, "waves", version, folder)
    return folder


@pytest.fixture(scope="session")
def server(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A real endpoint with both versions."""
    archives: list[Archive] = list_archives(store)
    logs = tmp_path_factory.mktemp("logs")
    with Endpoint(fresh_state(archives, workers=1), logs=logs) as running:
        running.start()
        yield running


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder for temporary files. Paths of sockets in it must not exceed a hundred characters."""
    with tempfile.TemporaryDirectory(prefix="rvae-test-") as folder:
        yield Path(folder)
