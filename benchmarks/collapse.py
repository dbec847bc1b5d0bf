"""Ablation: which parts keep the recurrent VAE from collapsing to the mean window.

    python benchmarks/collapse.py [--data FOLDER] [--epochs 60] [--seeds 1]

FOLDER holds ecg5000/ecg5000.npz (arrays `signals` and `is_abnormal`); without it the heartbeats of
the demo are used. Prints the share of variance around the mean window that held-out reconstructions
explain, the active latent units, and the AUROC of the windows' scores.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from rvae.config import (
    DataConfig,
    ModelConfig,
    ObjectiveConfig,
    ReaderConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.readers import read
from rvae.evaluation.detection import detection
from rvae.inference.compute import keep_freed_memory
from rvae.inference.engine import Engine
from rvae.networks import recurrent
from rvae.networks.recurrent import RecurrentDecoder
from rvae.training.fit import fit


def unrolled(hidden_only: bool, clock: bool) -> Callable[..., Tensor]:
    """A decoder's forward pass, with or without a clock and the latent in the cell state."""

    def forward(self: RecurrentDecoder, z: Tensor, conditions: Tensor) -> Tensor:
        start = self.start(z).expand(self.layers.num_layers, -1, -1).contiguous()
        state = (start, torch.zeros_like(start)) if hidden_only else (torch.tanh(start), start)
        steps = torch.linspace(-1, 1, self.window) if clock else torch.zeros(self.window)
        inputs = torch.cat([steps[None, :, None].expand(len(z), -1, -1), conditions], dim=2)
        states, _ = self.layers(inputs, state)
        return self.output(states)

    return forward


@contextmanager
def decoder(hidden_only: bool = False, clock: bool = True) -> Iterator[None]:
    with patch.object(RecurrentDecoder, "forward", unrolled(hidden_only, clock)):
        yield


@contextmanager
def default_initialization() -> Iterator[None]:
    made = recurrent.layers

    def layers(*arguments: Any, **options: Any) -> nn.RNNBase:
        lstm = made(*arguments, **options)
        assert isinstance(lstm, nn.RNNBase)
        lstm.reset_parameters()
        return lstm

    with patch.object(recurrent, "layers", layers):
        yield


MODEL = ModelConfig()
OBJECTIVE = ObjectiveConfig()
UNIT_NOISE = replace(MODEL, noise_scale=1.0)
NO_WARM_UP = replace(OBJECTIVE, warmup=0.0)

VARIANTS: dict[
    str,
    tuple[ModelConfig, ObjectiveConfig, float, list[Callable[..., AbstractContextManager[Any]]]],
] = {
    "the recipe": (MODEL, OBJECTIVE, 1e-2, []),
    "PyTorch's initialisation": (MODEL, OBJECTIVE, 1e-2, [default_initialization]),
    "latent in the hidden state only": (MODEL, OBJECTIVE, 1e-2, [lambda: decoder(True)]),
    "no clock": (MODEL, OBJECTIVE, 1e-2, [lambda: decoder(clock=False)]),
    "noise scale fixed at 1": (UNIT_NOISE, OBJECTIVE, 1e-2, []),
    "no KL warm-up": (MODEL, NO_WARM_UP, 1e-2, []),
    "learning rate 1e-3": (MODEL, OBJECTIVE, 1e-3, []),
    "all of these taken away": (
        UNIT_NOISE,
        NO_WARM_UP,
        1e-3,
        [default_initialization, lambda: decoder(True, clock=False)],
    ),
}


def windows(data: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Windows (S, T, C) and which are abnormal (S,)."""
    if data is None:
        parts = [np.load(Path("demo") / name) for name in ("train.npz", "test.npz")]
        flags = [np.zeros(len(parts[0]["beats"]), dtype=bool), parts[1]["ventricular"]]
        return np.concatenate([part["beats"] for part in parts]), np.concatenate(flags)
    content = np.load(data / "ecg5000" / "ecg5000.npz")
    return content["signals"][..., None], content["is_abnormal"] == 1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    keep_freed_memory()
    values, abnormal = windows(options.data)
    normal = np.random.default_rng(0).permutation(np.flatnonzero(~abnormal))
    training, testing = normal[:1000], np.concatenate([normal[1000:], np.flatnonzero(abnormal)])
    table = Table("", "explained variance", "active units", "AUROC")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "training.npy"
        np.save(path, values[training])
        for name, (model, objective, rate, patches) in VARIANTS.items():
            rows = []
            for seed in range(options.seeds):
                with ExitStack() as stack:
                    for change in patches:
                        stack.enter_context(change())
                    outcome = fit(
                        read(path, ReaderConfig()),
                        TrainingPlan(
                            DataConfig(str(path), window=values.shape[1]),
                            model,
                            objective,
                            training=TrainingConfig(options.epochs, learning_rate=rate, seed=seed),
                        ),
                        Path(folder) / f"{name} {seed}",
                        progress=False,
                    )
                    analyses = Engine.load(outcome.checkpoint).analyse(list(values[testing]))
                scores = np.concatenate([a.score for a in analyses])
                found = detection(abnormal[testing], scores, scores > np.inf)
                summary = outcome.card.training
                rows.append([summary["explained_variance"], summary["active_units"], found.auroc])
            explained, active, auroc = np.mean(rows, axis=0)
            table.add_row(name, f"{explained:.2f}", f"{active:.1f} of 16", f"{auroc:.4f}")
            print(name, np.round(rows, 4).tolist(), flush=True)
    Console().print(table)


if __name__ == "__main__":
    main()
