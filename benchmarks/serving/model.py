"""The model that every server serves: trained, packaged for rvae, and written for the others."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Normal

from benchmarks.serving.peers.network import RecurrentVAE
from rvae.config import (
    DataConfig,
    ModelConfig,
    ReaderConfig,
    RecurrentConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.readers import read
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.networks.vae import VAE
from rvae.training.fit import fit

__all__ = ["MODEL", "REDUCED_PRECISION", "WINDOW", "PreparedModel", "export", "prepare", "waves"]

WINDOW = 140
MODEL = ModelConfig(recurrent=RecurrentConfig(hidden=90, depth=2), latent=20)
TRAINING_WINDOWS = 200

# Runtimes of rvae that compute in less than float32.
REDUCED_PRECISION = ("onnx-int8", "openvino")

PEERS = Path(__file__).parent / "peers"

# Batches as rvae makes them; of a lone request TorchServe waits this long for others.
HANDLER_CONFIG = "batchSize: 32\nmaxBatchDelay: 1\nresponseTimeout: 120\n"


@dataclass(frozen=True)
class PreparedModel:
    """Files of the model.

    Attributes:
        checkpoint: The checkpoint.
        archives: For each runtime of rvae an archive in a folder of its own.
        weights: What `load_network` of the peers reads.
        by_hand: TorchServe's archive with the handler by hand.
    """

    checkpoint: Path
    archives: dict[str, Path]
    weights: Path
    by_hand: Path


def waves(count: int, seed: int) -> NDArray[np.float64]:
    """Noisy waves (S, T)."""
    random = np.random.default_rng(seed)
    phase = random.uniform(0, 2 * np.pi, (count, 1))
    angle = np.linspace(0, 2 * np.pi, WINDOW)[None]
    return np.sin(angle + phase) + random.normal(0, 0.05, (count, WINDOW))


def prepare(runtimes: Sequence[str], folder: Path) -> PreparedModel:
    """Train a model and package it; the quality of training does not matter here."""
    np.save(folder / "waves.npy", waves(TRAINING_WINDOWS, seed=0)[:, :, None])
    checkpoint = fit(
        read(folder / "waves.npy", ReaderConfig()),
        TrainingPlan(
            DataConfig(str(folder / "waves.npy"), window=WINDOW),
            MODEL,
            training=TrainingConfig(epochs=1, quantile=0.9),
        ),
        folder,
        progress=False,
    ).checkpoint
    weights = folder / "weights.pt"
    export(Artifact.load(checkpoint), weights)
    return PreparedModel(
        checkpoint,
        {runtime: _archive(checkpoint, runtime, folder) for runtime in runtimes},
        weights,
        _archive_by_hand(weights, folder / "by-hand"),
    )


def export(artifact: Artifact, path: Path) -> None:
    """Write a model of one channel for `load_network` of the peers."""
    card = artifact.card
    layers = card.model.recurrent
    sizes = {
        "window": card.window,
        "hidden": layers.hidden,
        "depth": layers.depth,
        "latent": card.model.latent,
    }
    network = RecurrentVAE(**sizes)
    vae = artifact.build()
    trained = vae.state_dict()
    state = {
        **network.state_dict(),
        "data_mean": torch.tensor(card.scaler.mean[0]),
        "data_scale": torch.tensor(card.scaler.scale[0]),
        "threshold": torch.tensor(card.calibration.threshold()),
        "log_scale": _noise(vae, card.model.latent).log(),
    }
    for ours, theirs in (
        ("encoder.layers", "encoder"),
        ("posterior.mean", "mean"),
        ("decoder.start", "start"),
        ("decoder.layers", "decoder"),
        ("decoder.output", "output"),
    ):
        for name, tensor in trained.items():
            if name.startswith(f"{ours}."):
                state[theirs + name.removeprefix(ours)] = tensor
    network.load_state_dict(state)
    torch.save({"sizes": sizes, "state": network.state_dict()}, path)


@torch.no_grad()
def _noise(vae: VAE, latent: int) -> Tensor:
    """Scale of the noise (1,)."""
    decoded = vae.decode(torch.zeros(1, latent))
    assert isinstance(decoded, Normal)
    return decoded.stddev[0, 0]


def _archive(checkpoint: Path, runtime: str, folder: Path) -> Path:
    store = folder / f"store-{runtime}"
    option = [] if runtime == "default" else ["--runtime", runtime]
    if runtime in REDUCED_PRECISION:  # thresholds are found again
        option += ["--data", str(folder / "waves.npy")]
    _run("-m", "rvae.cli", "archive", str(checkpoint), "--store", str(store), *option)
    return store / "rvae-1.0.mar"


def _archive_by_hand(weights: Path, store: Path) -> Path:
    store.mkdir()
    config = store / "model-config.yaml"
    config.write_text(HANDLER_CONFIG)
    _run(
        *("-m", "model_archiver.model_packaging", "--model-name", "rvae", "--version", "1.0"),
        *("--handler", str(PEERS / "torchserve_handler.py"), "--serialized-file", str(weights)),
        *("--extra-files", str(PEERS / "network.py"), "--config-file", str(config)),
        *("--export-path", str(store)),
    )
    return store / "rvae.mar"


def _run(*arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise FieldError("model", f"{' '.join(arguments)} failed: {done.stderr.strip()}")
