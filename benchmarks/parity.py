"""How far the runtimes of an archive are from torch, for trained models of seven kinds.

    python benchmarks/parity.py [--data FOLDER] [--epochs 30] [--json FILE]

FOLDER holds ecg5000/ecg5000.npz (arrays `signals` and `is_abnormal`), of whose normal windows the
models are trained; without it waves are generated. Each model is converted for every runtime that
is installed, and compared by windows that it has not seen. The largest differences are those of the
report in the card (`rvae.inference.runtimes.report.Parity`); what is beyond the bound, and would be
refused, is marked.
"""

import argparse
import csv
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from rvae.config import (
    ConvolutionalConfig,
    DataConfig,
    DenseConfig,
    ModelConfig,
    ReaderConfig,
    RecurrentConfig,
    ScoringConfig,
    TimeConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.readers import read
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.compute import keep_freed_memory
from rvae.inference.conversion import RUNTIMES, convert
from rvae.inference.reading import read_for
from rvae.inference.runtimes.report import Parity
from rvae.training.fit import fit

STEPS, WINDOWS, TRAINED, DAY = 48, 2400, 0.6, 24
DIFFERENCES = ("latent", "reconstruction", "score", "tail_probability")


@dataclass(frozen=True)
class Kind:
    """A kind of models: network, score, and whether its data is a table with times."""

    model: ModelConfig
    scoring: ScoringConfig = ScoringConfig()
    table: bool = False


def recurrent(**options: Any) -> ModelConfig:
    return ModelConfig(recurrent=RecurrentConfig(hidden=32, **options), latent=6)


KINDS = {
    "LSTM": Kind(recurrent()),
    "GRU": Kind(recurrent(cell="gru")),
    "both directions, layer normalization": Kind(
        recurrent(bidirectional=True, depth=2, normalization="layer")
    ),
    "convolutional": Kind(
        ModelConfig("convolutional", convolutional=ConvolutionalConfig(filters=16), latent=6)
    ),
    "dense, linear path": Kind(
        ModelConfig("dense", dense=DenseConfig((32,)), latent=6, linear=True)
    ),
    "LSTM, excess with memory": Kind(recurrent(), ScoringConfig("excess")),
    "LSTM, categories and calendar": Kind(
        replace(recurrent(), time=TimeConfig(calendar=("day",), bypass=True)), table=True
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    keep_freed_memory()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, kind in KINDS.items():
            folder = Path(scratch) / name
            folder.mkdir()
            for row in measured(kind, options.data, options.epochs, folder):
                rows.append({"model": name, **row})
                print(rows[-1], flush=True)
    show(rows)
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=1))


def measured(kind: Kind, data: Path | None, epochs: int, folder: Path) -> Iterator[dict[str, Any]]:
    """Train a model, and compare every runtime with torch."""
    training, held_out = write_table(folder) if kind.table else write_windows(data, folder)
    reader = ReaderConfig(time="time", categorical=("mode",)) if kind.table else ReaderConfig()
    dataset = read(training, reader)
    result = fit(
        dataset,
        TrainingPlan(
            DataConfig(str(training), window=DAY if kind.table else len(dataset.series[0])),
            kind.model,
            scoring=kind.scoring,
            training=TrainingConfig(epochs, batch_size=32, quantile=0.98, accelerator="cpu"),
        ),
        folder,
        progress=False,
    )
    artifact = Artifact.load(result.checkpoint)
    series = read_for(artifact.card, held_out, None, None, None, labels=False).series
    explained = result.card.training["explained_variance"]
    for name, runtime in RUNTIMES.items():
        if name == "openvino" and find_spec(name) is None:
            continue
        try:
            with unbounded(name):
                parity = convert(artifact, name, series).card.runtime.parity  # type: ignore[union-attr]
        except FieldError as error:
            yield {"explained_variance": explained, "runtime": name, "refused": error.message}
            continue
        differences = {"windows": parity.windows, "flags": parity.flags}
        differences |= {which: getattr(parity, which) for which in DIFFERENCES}
        row = {"explained_variance": explained, "runtime": name, **differences}
        yield row | {"bound": runtime.tolerance, "kept": kept(parity, runtime.tolerance)}


def kept(parity: Parity, tolerance: float) -> bool:
    """Whether a conversion is not refused."""
    return max(parity.latent, parity.reconstruction, parity.score) <= tolerance


@contextmanager
def unbounded(name: str) -> Iterator[None]:
    """Tell differences of any size, instead of refusing them."""
    with patch.dict(RUNTIMES, {name: replace(RUNTIMES[name], tolerance=np.inf)}):
        yield


def write_windows(data: Path | None, folder: Path) -> tuple[Path, Path]:
    """Windows (S, T, 1) for training, and such that are held out."""
    if data is None:
        values = waves(WINDOWS)
    else:
        content = np.load(data / "ecg5000" / "ecg5000.npz")
        normal = content["signals"][content["is_abnormal"] == 0][..., None]
        values = np.random.default_rng(0).permutation(normal)[:WINDOWS]
    cut = int(TRAINED * len(values))
    np.save(folder / "training.npy", values[:cut])
    np.save(folder / "held_out.npy", values[cut:])
    return folder / "training.npy", folder / "held_out.npy"


def waves(count: int) -> NDArray[np.float64]:
    """Two sines of random phase and amplitude with noise (count, STEPS, 1)."""
    random = np.random.default_rng(0)
    angle = np.linspace(0, 2 * np.pi, STEPS, endpoint=False)
    phase, size = (
        random.uniform(0, 2 * np.pi, (2, count, 1)),
        random.uniform(0.5, 1.5, (2, count, 1)),
    )
    clean = size[0] * np.sin(angle + phase[0]) + size[1] / 2 * np.sin(2 * angle + phase[1])
    return (clean + random.normal(0, 0.1, clean.shape))[..., None]


def write_table(folder: Path) -> tuple[Path, Path]:
    """Hours of a machine, whose load follows the day and its mode, for training; and held out."""
    random = np.random.default_rng(0)
    hours = np.arange(6000)
    mode = np.repeat(random.integers(0, 3, len(hours) // 12), 12)
    day = np.sin(hours * 2 * np.pi / 24) * np.repeat(random.uniform(0.7, 1.3, len(hours) // 24), 24)
    load = 20 + 3 * day + 2 * mode + random.normal(0, 0.2, len(hours))
    began = datetime(2026, 1, 1)
    rows = [
        [
            str(began + timedelta(hours=int(hour))),
            f"{load[hour]:.4f}",
            ("off", "low", "high")[mode[hour]],
        ]
        for hour in hours
    ]
    cut = int(TRAINED * len(rows))
    for name, part in (("training.csv", rows[:cut]), ("held_out.csv", rows[cut:])):
        with (folder / name).open("w", newline="") as file:
            csv.writer(file).writerows([["time", "load", "mode"], *part])
    return folder / "training.csv", folder / "held_out.csv"


def show(rows: list[dict[str, Any]]) -> None:
    """Print a table."""
    table = Table("model", "explained", "runtime", *DIFFERENCES, "flags of windows", "bound")
    for row in rows:
        facts = [row["model"], f"{row['explained_variance']:.3f}", row["runtime"]]
        if "refused" in row:
            table.add_row(*facts, row["refused"])
            continue
        table.add_row(
            *facts,
            *(f"{row[which]:.1e}" for which in DIFFERENCES),
            f"{row['flags']} of {row['windows']}",
            f"{row['bound']:g}" + ("" if row["kept"] else ": refused"),
        )
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
