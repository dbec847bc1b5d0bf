"""False alarms on new normal data: the promise of thresholds, compared with real series.

    python -m benchmarks.false_alarms --data FOLDER [--files 12] [--quantile 0.95]

FOLDER holds sets of files as for benchmarks.detection. The part of each series before its first
anomaly is normal. The model of configs/detection.yaml is trained and calibrated on the first two
thirds of it; the rest is new data. Prints the share of windows in the rest that are flagged, with
the threshold of the calibration and with an adaptive one. Series with fewer than 3,000 normal
points are left out: their calibration part has too few windows for the promise.
"""

import argparse
import re
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.detection.files import read_file
from benchmarks.detection.rvae_variants import trained
from rvae.scoring.adaptive_threshold import AdaptiveThreshold

MIN_POINTS = 3000
FIRST = re.compile(r"_1st_(\d+)\.csv$")
RATE = 0.1  # of 1 - quantile


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--files", type=int, default=12)
    parser.add_argument("--quantile", type=float, default=0.95)
    options = parser.parse_args()
    torch.set_num_threads(1)
    long = [path for path in sorted(options.data.glob("*/*.csv")) if normal(path) >= MIN_POINTS]
    chosen = np.linspace(0, len(long) - 1, min(len(long), options.files), dtype=int)
    table = Table("file", "normal points", "fixed", "following", title="flagged of fresh windows")
    rates = []
    for path in (long[i] for i in chosen):
        values = read_file(path).values[: normal(path)]
        rates.append(false_alarms(values, options.quantile))
        table.add_row(path.stem[:40], str(len(values)), *(f"{rate:.3f}" for rate in rates[-1]))
    table.add_row("mean", "", *(f"{rate:.3f}" for rate in np.mean(rates, axis=0)))
    table.add_row("promised", "", *[f"{1 - options.quantile:.3f}"] * 2)
    Console().print(table)


def normal(path: Path) -> int:
    """Points before the first anomaly of a file."""
    found = FIRST.search(path.name)
    return int(found[1]) if found else 0


def false_alarms(values: np.ndarray, quantile: float) -> tuple[float, float]:
    """Shares of the windows in the last third of normal values (N, C) that are flagged."""
    known = 2 * len(values) // 3
    engine = trained(values[:known], {"training": {"quantile": quantile}}, seed=0)
    calibration = engine.card.calibration
    (analysis,) = engine.analyse([values[known:]])
    following = AdaptiveThreshold(calibration, RATE * (1 - quantile)).follow(analysis.score)
    flagged = [analysis.score > t for t in (calibration.threshold(), following)]
    return float(flagged[0].mean()), float(flagged[1].mean())


if __name__ == "__main__":
    main()
