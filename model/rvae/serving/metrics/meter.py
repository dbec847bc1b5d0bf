"""A worker's side: it notes what it has done, and counts it later, while nobody waits."""

import logging
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.inference.analysis import Analysis, Encoded
from rvae.inference.card import Card
from rvae.serving.metrics.counts_file import Contents, Head, create, weight
from rvae.serving.metrics.measures import HISTOGRAMS, PLACES, Phases
from rvae.serving.metrics.report import UNREPORTED, Report

__all__ = ["Meter", "start_meter"]

COUNT_SECONDS = 1.0
# Steps of series that wait to be counted, in memory: more are counted at once.
MOST_STEPS = 1 << 16
# Steps that are put into bins at a time, chosen by chance: enough to see drift.
MOST_BINNED = 4096

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Meter:
    """Counts what a service reports, in a thread of its own.

    A worker that is killed takes along what it has not counted yet: that of a second.

    Args:
        counts: Where to count.
        card: Card of the model.
    """

    def __init__(self, counts: Contents, card: Card) -> None:
        self._counts = counts
        self._card = card
        self._random = np.random.default_rng()
        # Noted by one thread, and taken by the other: deques need no lock for that.
        self._batches: deque[int] = deque()
        self._phases: deque[Phases] = deque()
        self._series: deque[Series] = deque()
        self._scores: deque[NDArray[np.float64]] = deque()
        self._windows: deque[int] = deque()
        self._steps = 0
        self._full = Event()

    def start(self) -> None:
        """Count from time to time, until the process ends."""
        Thread(target=self._run, name="meter", daemon=True).start()

    def batch(self, requests: int) -> None:
        """See `Report`."""
        self._batches.append(requests)

    def answered(self, phases: Phases, series: Sequence[Series], found: Sequence[Encoded]) -> None:
        """See `Report`."""
        self._phases.append(phases)
        for one, result in zip(series, found, strict=True):
            self._series.append(one)
            self._windows.append(len(result.starts))
            self._steps += len(one)
            if isinstance(result, Analysis):
                self._scores.append(result.score)
        if self._steps > MOST_STEPS:
            self._full.set()

    def count(self) -> None:
        """Count what was noted until now; in one thread."""
        self._steps = 0
        self._add("batch", np.array(_taken(self._batches), np.float64))
        phases = np.array(_taken(self._phases), np.float64).reshape(-1, len(Phases._fields))
        for name, seconds in zip(Phases._fields, phases.T, strict=True):
            self._add(name, seconds)
        self._counts.common[PLACES["windows"]] += sum(_taken(self._windows))
        # Both are taken before anything of them is counted: what fails must not pile up.
        scores, series = _taken(self._scores), _taken(self._series)
        if scores:
            self._add_scores(np.concatenate(scores))
        if series:
            self._add_values(np.concatenate([np.asarray(one.values) for one in series]))

    def _run(self) -> None:
        while True:
            self._full.wait(COUNT_SECONDS)
            self._full.clear()
            try:
                self.count()
            except Exception:
                logger.exception("What was done could not be counted")

    def _add(self, name: str, values: NDArray[np.float64]) -> None:
        if len(values):
            self._counts.common[PLACES[name]] += HISTOGRAMS[name].of(values)

    def _add_scores(self, scores: NDArray[np.float64]) -> None:
        known, calibration = scores[~np.isnan(scores)], self._card.calibration
        common, severity = self._counts.common, calibration.severity(known)
        common[PLACES["judged"]] += len(known)
        common[PLACES["flagged"]] += (known > calibration.threshold()).sum()
        # What is less than usual is usual: a sum that fell would be no counter.
        self._add("severity", severity.clip(min=0))
        self._add("tail_probability", calibration.tail_probability(known))

    def _add_values(self, values: NDArray[np.float64]) -> None:
        """Count the values of some steps (N, C)."""
        counts, sketch = self._counts, self._card.sketch
        counts.common[PLACES["steps"]] += len(values)
        counts.missing[:] += np.isnan(values).sum(0)
        if not sketch:
            return
        each = weight(time.monotonic(), counts.head.since)
        if len(values) > MOST_BINNED:
            each *= len(values) / MOST_BINNED
            values = values[self._random.integers(len(values), size=MOST_BINNED)]
        bins = [one.counts(column) for one, column in zip(sketch, values.T, strict=True)]
        counts.bins[:] += each * np.concatenate(bins)


def start_meter(folder: Path, model: str, version: str, card: Card) -> Report:
    """Begin to count in a folder; where that fails, the worker works without.

    Args:
        folder: Folder of the workers' counts.
        model: Name under which the model is registered.
        version: Its version.
        card: Its card.
    """
    shares = tuple(one.shares for one in card.sketch)
    flagged = 1 - card.calibration.quantile
    head = Head(model, version, card.channels, shares, flagged, time.monotonic())
    try:
        counts = create(folder, head)
    except OSError as error:
        logger.warning("No metrics: %s", error)
        return UNREPORTED
    meter = Meter(counts, card)
    meter.start()
    return meter


def _taken(noted: deque[T]) -> list[T]:
    """Take what is there at this moment."""
    return [noted.popleft() for _ in range(len(noted))]
