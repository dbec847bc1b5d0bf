"""Our metrics of anomaly detection, compared with the TSB-AD package: deviation and speed.

    python benchmarks/metrics_check.py --reference PYTHON [--data FOLDER] [--files 10]

PYTHON is the interpreter of an environment with TSB-AD 1.5, which needs older versions of numpy and
scikit-learn than ours. The cases are random, and with FOLDER, which holds CSV files with the
columns Data and Label, also those of two plain detectors on its first files. Prints the largest
deviation of each metric, and fails if one is above 1e-6.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from rvae.data.period import period
from rvae.evaluation.point_metrics import point_detection

TOLERANCE = 1e-6

NAMES = {
    "vus_pr": "VUS-PR",
    "vus_roc": "VUS-ROC",
    "auc_pr": "AUC-PR",
    "auc_roc": "AUC-ROC",
    "f1": "Standard-F1",
    "adjusted_f1": "PA-F1",
    "event_f1": "Event-based-F1",
    "range_f1": "R-based-F1",
    "affiliation_f1": "Affiliation-F",
}

# Code for the other interpreter, run on each file of a folder. Without an alarm at any threshold
# its affiliation F1 is undefined, and ours is 0.
REFERENCE = """
import json, sys, time
from pathlib import Path
import numpy as np
from TSB_AD.evaluation.metrics import get_metrics
from TSB_AD.utils.slidingWindows import find_length_rank
for file in sorted(Path(sys.argv[1]).iterdir()):
    case = np.load(file)
    began = time.process_time()
    found = get_metrics(
        case["scores"], case["labels"].astype(int), slidingWindow=int(case["window"]),
        version="opt", thre=250,
    )
    seconds = time.process_time() - began
    metrics = {name: float(np.nan_to_num(value)) for name, value in found.items()}
    period = int(find_length_rank(case["values"].reshape(-1, 1), rank=1))
    print(json.dumps([metrics, period, seconds]), flush=True)
"""

# Name, values (N,), labels (N,), scores (N,), window.
Case = tuple[str, np.ndarray, np.ndarray, np.ndarray, int]


def random_cases(count: int) -> Iterator[Case]:
    for seed in range(count):
        random = np.random.default_rng(seed)
        points = int(random.choice([random.integers(2, 12), random.integers(12, 1200)]))
        labels = np.zeros(points, dtype=bool)
        for _ in range(random.integers(1, 8)):
            start = random.integers(-points // 4, points)
            longest = random.choice([2, points // 4 + 2])
            labels[max(start, 0) : max(start + random.integers(1, longest), 1)] = True
        if seed % 5 == 0:  # many close events
            labels = random.random(points) < 0.2
        labels[random.integers(points)] = True
        if labels.all():
            labels[random.integers(points)] = False
        scores = random.normal(size=points) + random.choice([0, 1, 3]) * labels
        kind = random.integers(6)
        if kind == 0:  # ties
            scores = np.round(scores)
        elif kind == 1:  # as scores of windows are
            scores = np.convolve(scores, np.ones(9) / 9)[:points]
        elif kind == 2:
            scores = np.full(points, 0.3)
        elif kind == 3:  # far from evenly spaced
            scores = np.exp(3 * scores)
        cycle = np.sin(2 * np.pi * np.arange(points) / random.integers(4, 350))
        values = random.choice([0, 1, 5]) * cycle + random.normal(size=points)
        values = values.round() if seed % 4 == 0 else values
        yield f"random {seed}", values, labels, scores, int(random.integers(0, 80))


def real_cases(folder: Path, files: int) -> Iterator[Case]:
    for path in sorted(folder.glob("*.csv"))[:files]:
        values, labels = np.loadtxt(path, delimiter=",", skiprows=1, usecols=(0, -1)).T
        name, labels, window, width = path.stem, labels > 0, period(values), 51
        views = np.lib.stride_tricks.sliding_window_view
        medians = np.median(views(np.pad(values, width // 2, mode="edge"), width), axis=1)
        yield f"{name}, median", values, labels, np.abs(values - medians), window
        windows = views(values, width) - values.mean()
        axes = np.linalg.svd(windows[:2000], full_matrices=False)[2][:5]
        error = ((windows - windows @ axes.T @ axes) ** 2).sum(axis=1)
        yield f"{name}, PCA", values, labels, np.pad(error, width // 2, mode="edge"), window


def reference(python: str, cases: list[Case]) -> list[list[Any]]:
    """Metrics, period and seconds by the package for each case."""
    with tempfile.TemporaryDirectory() as folder:
        for i, (_, values, labels, scores, window) in enumerate(cases):
            file = Path(folder) / f"{i:06}.npz"
            np.savez(file, values=values, labels=labels, scores=scores, window=window)
        command = [python, "-W", "ignore", "-c", REFERENCE, folder]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in output.splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--reference", required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument("--cases", type=int, default=100)
    options = parser.parse_args()
    cases = list(random_cases(options.cases))
    if options.data is not None:
        cases += real_cases(options.data, options.files)
    largest = dict.fromkeys([*NAMES, "period"], (0.0, ""))
    ours_seconds = theirs_seconds = 0.0
    for (name, values, labels, scores, window), answer in zip(
        cases, reference(options.reference, cases), strict=True
    ):
        theirs, their_period, seconds = answer
        theirs_seconds += seconds
        began = time.process_time()
        ours = asdict(point_detection(labels, scores, window))
        ours_seconds += time.process_time() - began
        deviations = {key: abs(value - theirs[NAMES[key]]) for key, value in ours.items()}
        deviations["period"] = abs(period(values) - their_period)
        for key, deviation in deviations.items():
            largest[key] = max(largest[key], (deviation, name))
    table = Table("", "largest deviation", "in")
    for key, (deviation, name) in largest.items():
        table.add_row(key, f"{deviation:.1e}", name)
    console = Console()
    console.print(table)
    console.print(
        f"{len(cases)} cases: {ours_seconds:.2f} s, the package {theirs_seconds:.2f} s, "
        f"{theirs_seconds / ours_seconds:.0f} times as long"
    )
    if max(largest.values())[0] > TOLERANCE:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
