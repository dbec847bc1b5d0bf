"""Width and onset of events, compared with labels and with anomalies of known width.

    python -m benchmarks.event_width --data FOLDER [--files 16] [--quantile 0.98]

FOLDER holds sets of files as for benchmarks.detection; the longest are left out. The model of
configs/detection.yaml is trained on the training part of each file. Two kinds of anomalies are
looked for: those that are labelled, and those that are put into the normal part before the first
label, of four kinds and of 1 and 12 steps, half a window, a window and two. Labels of these files
are often wider than what happened, or only part of it. An event is compared with an anomaly if its
windows contain that one alone; the threshold is a quantile of the scores of windows without an
anomaly, so that where an event lies is measured apart from whether there is one.

Prints quartiles of the width of events as a share of the anomaly's, the mean intersection over
union, and the median distance of the beginnings in steps: of the union, the steps whose windows
have a mean score above the threshold, and of the located events.
"""

import argparse
from collections.abc import Callable, Iterator
from itertools import cycle, product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.detection.files import LabelledSeries, read_file
from benchmarks.detection.rvae_variants import trained
from rvae.data.intervals import intervals
from rvae.data.windows import windows_with
from rvae.inference.engine import Engine
from rvae.scoring.clusters import find_clusters

MAX_POINTS = 12_500
APART = 6  # window lengths between anomalies that are put into a series
COPIES = 2  # of the normal part of a file
KINDS = ("noise", "flat", "level", "scale")

Width = Callable[[int], int]  # from the length of a window
WIDTHS: tuple[Width, ...] = (
    lambda window: 1,
    lambda window: 12,
    lambda window: window // 2,
    lambda window: window,
    lambda window: 2 * window,
)


class Match(NamedTuple):
    """An anomaly, and what was found of it: first steps, and steps after the last ones."""

    anomaly: tuple[int, int]
    union: tuple[int, int]
    located: tuple[int, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--files", type=int, default=16)
    parser.add_argument("--quantile", type=float, default=0.98)
    options = parser.parse_args()
    torch.set_num_threads(1)
    short = [path for path in sorted(options.data.glob("*/*.csv")) if points(path) <= MAX_POINTS]
    chosen = np.linspace(0, len(short) - 1, min(len(short), options.files), dtype=int)
    changes = cycle(product(KINDS, WIDTHS))
    labelled, put_in = Results("labelled anomalies"), Results("anomalies put into normal data")
    for path in (short[i] for i in chosen):
        series = read_file(path)
        engine = trained(series.values[: series.train], {}, seed=0)
        found = matches(engine, series.values, series.labels, options.quantile)
        labelled.add(path, list(found))
        put_in.add(path, list(of_known_width(engine, series, options.quantile, changes)))
    for results in (labelled, put_in):
        results.show()


def points(path: Path) -> int:
    """Number of points in a file."""
    with path.open() as file:
        return sum(1 for _ in file) - 1


def matches(
    engine: Engine, values: NDArray[np.float64], labels: NDArray[np.bool_], quantile: float
) -> Iterator[Match]:
    """The anomalies that are found in values (N, C) with labels (N,)."""
    (analysis,) = engine.analyse([values], 1)
    starts, window = analysis.starts, analysis.card.window
    normal = analysis.score[~windows_with(labels, starts, window)]
    threshold = float(np.nanquantile(normal, quantile))
    clusters = find_clusters(analysis.score, threshold, starts, window, 1)
    events = analysis.events(threshold, engine.card.calibration, 1)
    scores, thresholds = analysis.step_scores(threshold)
    unions = list(zip(*intervals(scores > thresholds), strict=True))
    anomalies = list(zip(*intervals(labels), strict=True))
    for event, first, last in zip(events, clusters.first, clusters.last, strict=True):
        windows = int(starts[first]), int(starts[last]) + window
        inside = [anomaly for anomaly in anomalies if overlap(anomaly, windows)]
        if len(inside) == 1:
            union = max(unions, key=lambda one: overlap(one, inside[0]), default=(0, 0))
            if overlap(union, inside[0]):
                yield Match(inside[0], union, (event.start, event.end))


def of_known_width(
    engine: Engine, series: LabelledSeries, quantile: float, changes: Iterator[tuple[str, Width]]
) -> Iterator[Match]:
    """Anomalies with the next changes, put into the normal part after the training part."""
    first = int(np.argmax(series.labels)) if series.labels.any() else len(series.values)
    window, spread = engine.card.window, series.values[: series.train].std(axis=0)
    random = np.random.default_rng(0)
    for _ in range(COPIES):
        values = series.values[series.train : first].copy()
        labels = np.zeros(len(values), dtype=bool)
        for place in range(2 * window, len(values) - 4 * window, APART * window):
            kind, width = next(changes)
            steps = slice(place, place + width(window))
            values[steps] = changed(values[steps], values[place - 1], kind, spread, random)
            labels[steps] = True
        if labels.any():
            yield from matches(engine, values, labels, quantile)


def changed(
    values: NDArray[np.float64],
    before: NDArray[np.float64],
    kind: str,
    spread: NDArray[np.float64],
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """Values (n, C) with an anomaly in all channels, after a step (C,)."""
    if kind == "flat" and len(values) > 1:
        return np.broadcast_to(before, values.shape)
    if kind == "level":
        return values + 1.5 * spread
    if kind == "scale":
        return before + 2 * (values - before)
    signs = random.choice([-1, 1], values.shape)
    return values + signs * random.uniform(1, 3, values.shape) * spread


def overlap(one: tuple[int, int], other: tuple[int, int]) -> int:
    """Steps that two stretches share."""
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


class Results:
    """Matches by file, as a table."""

    def __init__(self, title: str) -> None:
        self._all: list[Match] = []
        names = ("file", "found", "rule", "width 25 %", "50 %", "75 %", "IoU", "onset")
        self._table = Table(*names, title=title)

    def add(self, path: Path, found: list[Match]) -> None:
        """Add the matches of a file."""
        self._all += found
        if found:
            self._add_rows(path.stem[:24], found)

    def show(self) -> None:
        """Print the table."""
        if self._all:
            self._add_rows("all", self._all)
        Console(width=110).print(self._table)

    def _add_rows(self, name: str, found: list[Match]) -> None:
        for rule in ("union", "located"):
            pairs = [(match.anomaly, getattr(match, rule)) for match in found]
            widths = [(b - a) / (end - start) for (start, end), (a, b) in pairs]
            shares = [
                (common := overlap(*pair)) / (sum(b - a for a, b in pair) - common)
                for pair in pairs
            ]
            onsets = [abs(one[0] - anomaly[0]) for anomaly, one in pairs]
            figures = [
                *(f"{width:.2f}" for width in np.quantile(widths, [0.25, 0.5, 0.75])),
                f"{np.mean(shares):.2f}",
                f"{np.median(onsets):.0f}",
            ]
            self._table.add_row(name, str(len(found)), rule, *figures)


if __name__ == "__main__":
    main()
