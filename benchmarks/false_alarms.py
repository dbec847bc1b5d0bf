"""False alarms on new normal data, and outages in it: the promise of thresholds, on real series.

    python -m benchmarks.false_alarms --data FOLDER [--files 12] [--quantile 0.95] [--adapt 0.002]

FOLDER holds sets of files as for benchmarks.detection. The part of each series before its first
anomaly is normal. The model of configs/detection.yaml is trained and calibrated on the first two
thirds of it; the rest is new data. Prints the share of windows in the rest that are flagged, with
the threshold of the calibration and with an adaptive one, and the share that is promised: 1 -
quantile, or as much as the held-out data can promise. The interval is a percentile bootstrap over
stretches of a window length; there is none where the rest has fewer than five.

In the middle of the rest, a copy of it has two outages: all channels are 0 for 60 steps, normal for
half a window, and 0 again. "outages" says how many of the two have a flagged window that the other
one does not touch, and "flagged" how many of all windows that touch one are flagged.
"""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.detection.files import read_file
from benchmarks.detection.rvae_variants import trained
from rvae.inference.engine import Engine
from rvae.scoring.thresholds import ThresholdRule

MIN_POINTS = 1500
FIRST = re.compile(r"_1st_(\d+)\.csv$")
OUTAGE = 60
DRAWS = 2000
KINDS = ("fixed", "adaptive")
FEWEST = 5  # stretches for an interval


@dataclass(frozen=True)
class Result:
    """What a threshold flags in the rest of a file.

    Attributes:
        share: Share of the normal windows.
        interval: Ends of the 95 % interval of the share; None where there are too few stretches.
        outages: Number of outages that are found, of two; None if the rest is too short for them.
        flagged: Share of the windows of the outages.
    """

    share: float
    interval: tuple[float, float] | None
    outages: int | None
    flagged: float

    def cells(self) -> tuple[str, str, str]:
        """Share with its interval, outages, and their windows."""
        interval = "" if self.interval is None else " ({:.3f} to {:.3f})".format(*self.interval)
        if self.outages is None:
            return f"{self.share:.3f}{interval}", "", ""
        return f"{self.share:.3f}{interval}", str(self.outages), f"{self.flagged:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--files", type=int, default=12)
    parser.add_argument("--quantile", type=float, default=0.95)
    parser.add_argument("--adapt", type=float, default=0.002)
    options = parser.parse_args()
    torch.set_num_threads(1)
    long = [path for path in sorted(options.data.glob("*/*.csv")) if normal(path) >= MIN_POINTS]
    chosen = np.linspace(0, len(long) - 1, min(len(long), options.files), dtype=int)
    columns = ("flagged", "outages", "of their windows")
    table = Table("file", "promised", *(f"{kind}, {name}" for kind in KINDS for name in columns))
    promises, found = [], []
    for path in (long[i] for i in chosen):
        values = read_file(path).values[: normal(path)]
        promised, results = measure(values, options.quantile, options.adapt)
        promises.append(promised)
        found.append([one.share for one in results])
        cells = (cell for one in results for cell in one.cells())
        table.add_row(path.stem[:24], f"{promised:.3f}", *cells)
    shares = np.array(found)  # (files, kinds)
    kept = (shares <= 1.5 * np.array(promises)[:, None]).sum(axis=0)
    console = Console(width=160)
    console.print(table)
    for kind, share, count in zip(KINDS, shares.mean(axis=0), kept, strict=True):
        console.print(
            f"{kind}: mean {share:.3f}, promised {np.mean(promises):.3f}; "
            f"at most 1.5 times the promise on {count} of {len(shares)} files"
        )


def normal(path: Path) -> int:
    """Points before the first anomaly of a file."""
    found = FIRST.search(path.name)
    return int(found[1]) if found else 0


def measure(
    values: NDArray[np.float64], quantile: float, adapt: float
) -> tuple[float, list[Result]]:
    """The promised share of flagged windows, and what happens, for each of `KINDS`.

    Args:
        values: Normal values (N, C).
        quantile: Quantile of the threshold; less where the calibration cannot promise it.
        adapt: Rate of the adaptive threshold.
    """
    known = 2 * len(values) // 3
    engine = trained(values[:known], {"training": {"quantile": quantile}}, seed=0)
    calibration = engine.card.calibration
    rules = (ThresholdRule(calibration), ThresholdRule(calibration, adapt))
    return 1 - calibration.quantile, [on_rest(engine, values[known:], rule) for rule in rules]


def on_rest(engine: Engine, rest: NDArray[np.float64], rule: ThresholdRule) -> Result:
    """What a rule flags in new normal values (N, C)."""
    window = engine.card.window
    flags = flags_of(engine, rest, rule)
    first = len(rest) // 2
    second = first + OUTAGE + window // 2
    if second + OUTAGE + window > len(rest):
        return Result(float(flags.mean()), interval(flags, window), None, np.nan)
    broken = rest.copy()
    broken[first : first + OUTAGE] = 0
    broken[second : second + OUTAGE] = 0
    flagged = flags_of(engine, broken, rule)
    alone = (
        flagged[first - window + 1 : second - window + 1],
        flagged[first + OUTAGE : second + OUTAGE],
    )
    outages = sum(bool(one.any()) for one in alone)
    touching = flagged[first - window + 1 : second + OUTAGE]
    return Result(float(flags.mean()), interval(flags, window), outages, float(touching.mean()))


def flags_of(engine: Engine, values: NDArray[np.float64], rule: ThresholdRule) -> NDArray[np.bool_]:
    """Whether each window (W,) of values (N, C) is flagged."""
    (analysis,) = engine.analyse([values], 1)
    flags: NDArray[np.bool_] = analysis.score > rule.thresholds(analysis.score)
    return flags


def interval(flags: NDArray[np.bool_], window: int) -> tuple[float, float] | None:
    """The 95 % interval of the share of flags (W,)."""
    count = len(flags) // window
    if count < FEWEST:
        return None
    shares = np.array([part.mean() for part in np.array_split(flags, count)])
    drawn = np.random.default_rng(0).choice(shares, (DRAWS, count)).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


if __name__ == "__main__":
    main()
