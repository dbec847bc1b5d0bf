"""Does training without labels help a classifier that has few of them?

    python examples/pretraining.py demo
    python examples/pretraining.py demo --quick
    python examples/pretraining.py demo --data FOLDER --sets ECG5000

Fabius and van Amersfoort 2015, "Variational recurrent auto-encoders" (arXiv 1412.6581), propose to
start a supervised recurrent network from the weights and the state of a trained encoder. Here the
classifier is the encoder of rvae and a linear layer on its last state. It is trained with a share
of the labels, from several starts:

- `pretrained`: the encoder of a model that rvae.fit trained on all series of the training part,
  without labels.
- `rvae's start`: the same network, drawn at random as rvae draws it.
- `PyTorch's start`: the same network, drawn at random as PyTorch draws it.
- `frozen`: the pretrained encoder, whose state the linear layer reads; only that layer learns.

All starts have the same splits, labels, batches, optimizer and number of steps. A quarter of the
labels are for validation, which selects the step that is kept and nothing else. Each seed splits
the series anew.

Prints accuracies with their standard deviation over the seeds, and gains, in percentage points,
with half the width of their 95 % confidence interval. Writes pretraining.csv, with every run, and
pretraining.svg.
"""

import argparse
import csv
import math
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import astuple, dataclass, fields
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from labelled_sets import LabelledSet, digits, from_archive, from_package
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import t as student_t
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import rvae
from rvae.config import RecurrentConfig
from rvae.inference.compute import available_cpus
from rvae.networks.recurrent import RecurrentEncoder

SETS = ("digits", "JapaneseVowels", "ItalyPowerDemand")
BASELINES = ("rvae's start", "PyTorch's start")
STARTS = ("pretrained", *BASELINES, "frozen")
COMPARED = tuple(product(("pretrained", "frozen"), BASELINES))
SHARES = (0.02, 0.05, 0.2, 1.0)  # of the labels of the training part
MIN_LABELS = 2  # of each class: one to train with and one for validation
TEST = 0.25  # share of the series
VALIDATION = 0.25  # share of the labels
BATCH = 32
LEARNING_RATE = 5e-3
STEPS_PER_VALIDATION = 20
GRADIENT_CLIP = 5.0
CONFIDENCE = 0.95

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Effort:
    """How much is computed.

    Attributes:
        seeds: Number of splits.
        pretraining: Steps of the training without labels, roughly.
        steps: Steps of each training with labels.
    """

    seeds: int
    pretraining: int
    steps: int


FULL = Effort(seeds=5, pretraining=800, steps=300)
QUICK = Effort(seeds=2, pretraining=40, steps=20)


@dataclass(frozen=True)
class Result:
    """Accuracy on the test part after one training.

    Attributes:
        data: Name of the set.
        seed: Number of the split.
        share: Share of the labels.
        labels: Number of the labels, those for validation included.
        start: One of `STARTS`.
        accuracy: Share of the test part that is classified correctly.
    """

    data: str
    seed: int
    share: float
    labels: int
    start: str
    accuracy: float


class Classifier(nn.Module):
    """An encoder, and a linear layer from its last state to the classes."""

    def __init__(self, encoder: RecurrentEncoder, head: nn.Linear) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """Scaled series (B, T, C), NaN where missing → logits (B, classes)."""
        return self.head(self.encoder(x, ~x.isnan()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="for the downloaded data and the results")
    parser.add_argument("--sets", nargs="+", default=SETS, help="names of the sets")
    parser.add_argument("--data", type=Path, help="folder of the sets, in the archive's form")
    parser.add_argument("--quick", action="store_true", help="a short run, which proves nothing")
    parser.add_argument("--jobs", type=int, default=available_cpus(), help="processes")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    effort = QUICK if options.quick else FULL
    results: list[Result] = []
    for name in options.sets:
        if options.data:
            data = from_archive(options.data, name)
        else:
            data = digits() if name == "digits" else from_package(options.folder, name)
        # A forked process would share torch's locks.
        with ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool:
            runs = pool.map(partial(run, data, effort), range(effort.seeds))
            found = [result for some in runs for result in some]
        print(report(name, found), flush=True)
        results += found
        write(options.folder / "pretraining.csv", results)
        draw(options.folder / "pretraining.svg", results)
    print(f"Every run is in {options.folder}/pretraining.csv, the curves in pretraining.svg.")


def run(data: LabelledSet, effort: Effort, seed: int) -> list[Result]:
    """Results of one split: every start with every share of the labels."""
    torch.set_num_threads(1)
    everything = np.arange(len(data.classes))
    training, test = train_test_split(
        everything, test_size=TEST, stratify=data.classes, random_state=seed
    )
    model = pretrain(data.values[training], seed, effort.pretraining)
    pretrained = model.artifact.build().encoder
    x = torch.from_numpy(model.card.scaler.transform(data.values))  # (S, T, C)
    y = torch.from_numpy(data.classes)  # (S,)
    with torch.no_grad():
        states = pretrained(x, ~x.isnan())  # (S, H)
    results = []
    for share in SHARES:
        learning, validation = draw_labels(data.classes, training, share, seed)
        batches = np.random.default_rng(seed).choice(learning, (effort.steps, BATCH))
        for start in STARTS:
            torch.manual_seed(seed)  # the same head for every start
            classifier = make_classifier(start, pretrained, x, len(y.unique()))
            inputs = states if start == "frozen" else x
            learn(classifier, inputs, y, batches, validation)
            with torch.no_grad():
                found = classifier(inputs[test]).argmax(1)  # (S,)
            accuracy = (found == y[test]).float().mean().item()
            labels = len(learning) + len(validation)
            results.append(Result(data.name, seed, share, labels, start, accuracy))
    return results


def pretrain(values: Array, seed: int, steps: int) -> rvae.Model:
    """A model of series (S, T, C), trained without their classes."""
    held_out = 0.1  # for the selection of the checkpoint, and for the threshold each
    epochs = math.ceil(steps * BATCH / (len(values) * (1 - 2 * held_out)))
    return rvae.fit(
        values,
        window=values.shape[1],
        data={"validation": held_out, "calibration": held_out},
        training={"seed": seed, "epochs": epochs, "accelerator": "cpu", "quantile": 0.9},
    )


def draw_labels(
    classes: NDArray[np.int64], training: NDArray[np.int64], share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Series whose labels are known, to learn from and for validation.

    Every class has its share. With the same seed a smaller share is part of a larger one.
    """
    random = np.random.default_rng(seed)
    learning, validation = [], []
    for one in np.unique(classes[training]):
        members = random.permutation(training[classes[training] == one])
        known = max(MIN_LABELS, round(share * len(members)))
        held_out = max(1, round(VALIDATION * known))
        validation.append(members[:held_out])
        learning.append(members[held_out:known])
    return np.concatenate(learning), np.concatenate(validation)


def make_classifier(start: str, pretrained: RecurrentEncoder, x: Tensor, classes: int) -> nn.Module:
    """A classifier of series (S, T, C) before its training; "frozen" is one of states (S, H)."""
    head = nn.Linear(pretrained.features, classes)
    match start:
        case "frozen":
            return head
        case "pretrained":
            # The weights of a loaded model do not learn.
            return Classifier(deepcopy(pretrained).requires_grad_(), head)
    encoder = RecurrentEncoder(RecurrentConfig(), x.shape[2], x.shape[1])
    if start == "PyTorch's start":
        for layer in encoder.modules():
            if isinstance(layer, nn.RNNBase):
                layer.reset_parameters()
    return Classifier(encoder, head)


def learn(
    classifier: nn.Module,
    x: Tensor,
    y: Tensor,
    batches: NDArray[np.int64],
    validation: NDArray[np.int64],
) -> None:
    """Train a classifier, and keep the step with the lowest loss of the validation part.

    Args:
        classifier: Inputs (B, ...) → logits (B, classes).
        x: Inputs of all series (S, ...).
        y: Their classes (S,).
        batches: Indices of the series of every step (steps, B).
        validation: Indices of the series of the validation part.
    """
    optimizer = torch.optim.Adam(classifier.parameters(), LEARNING_RATE)
    lowest, best = math.inf, classifier.state_dict()
    for step, batch in enumerate(batches, 1):
        loss = cross_entropy(classifier(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(classifier.parameters(), GRADIENT_CLIP)
        optimizer.step()
        if step % STEPS_PER_VALIDATION == 0:
            with torch.no_grad():
                loss = cross_entropy(classifier(x[validation]), y[validation])
            if loss.item() < lowest:
                lowest, best = loss.item(), deepcopy(classifier.state_dict())
    classifier.load_state_dict(best)


def difference(results: Sequence[Result], one: str, other: str) -> tuple[float, float]:
    """Mean over seeds of how much more accurate a start is than another, and its half-width.

    Seeds share series, so that their differences are not independent. The interval allows for it:
    the corrected resampled t-test of Nadeau and Bengio 2003, "Inference for the generalization
    error".
    """
    first, second = (accuracies(results, start) for start in (one, other))
    apart = first - second
    count = len(apart)
    variance = apart.var(ddof=1) * (1 / count + TEST / (1 - TEST))
    quantile = student_t.ppf((1 + CONFIDENCE) / 2, count - 1)
    return float(apart.mean()), float(quantile * math.sqrt(variance))


def accuracies(results: Sequence[Result], start: str) -> Array:
    """Accuracies of a start, by seed."""
    some = sorted((r.seed, r.accuracy) for r in results if r.start == start)
    return np.array([accuracy for _, accuracy in some])


def by_labels(results: Sequence[Result]) -> dict[int, list[Result]]:
    """Results of a set by the number of labels, fewest first.

    The same share is a label more or less from seed to seed, and counts as the lowest of them.
    Shares that are equally many labels, in a small set, are the same trainings.
    """
    groups = [[r for r in results if r.share == share] for share in SHARES]
    return {min(r.labels for r in group): group for group in groups}


def report(name: str, results: Sequence[Result]) -> str:
    """Accuracies of a set in percent, and what pretraining adds to them, as tables in Markdown."""
    accuracy = [["labels", *STARTS]]
    gain = [["labels", *(f"{one} over {other}" for one, other in COMPARED)]]
    for labels, some in by_labels(results).items():
        found = [100 * accuracies(some, start) for start in STARTS]
        accuracy.append([str(labels), *(f"{a.mean():.1f} ± {a.std(ddof=1):.1f}" for a in found)])
        apart = [difference(some, one, other) for one, other in COMPARED]
        gain.append([str(labels), *(f"{100 * d:+.1f} ± {100 * width:.1f}" for d, width in apart)])
    return f"{name}, accuracy in %:\n\n{markdown(accuracy)}\n\nGains:\n\n{markdown(gain)}\n"


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table whose first row is its header."""
    lines = [f"| {' | '.join(row)} |" for row in (rows[0], ["---"] * len(rows[0]), *rows[1:])]
    return "\n".join(lines)


def write(path: Path, results: Sequence[Result]) -> None:
    """Write every run as a row."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(field.name for field in fields(Result))
        rows.writerows(map(astuple, results))


def draw(path: Path, results: Sequence[Result]) -> None:
    """Write the curves of all sets as SVG."""
    names = list(dict.fromkeys(r.data for r in results))
    figure = Figure(figsize=(4 * len(names), 3.4), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        groups = by_labels([r for r in results if r.data == name])
        for start in STARTS:
            found = [accuracies(some, start) for some in groups.values()]
            means, deviations = zip(*((a.mean(), a.std(ddof=1)) for a in found), strict=True)
            axes.errorbar(list(groups), means, deviations, marker="o", capsize=2, label=start)
        axes.set(title=name, xscale="log", xlabel="labels", ylabel="accuracy")
        axes.set_xticks(list(groups), map(str, groups))
        axes.minorticks_off()
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(STARTS))
    # The same results make the same file, and text stays text.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "rvae"}):
        figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
