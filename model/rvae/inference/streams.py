"""Stretches of series → results of whole series, as soon as no later window can change them.

A series of any length needs no more memory than its stretches and its longest event. All numbers
are those of an analysis of the whole series.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.inference.analysis import Analysis
from rvae.inference.engine import Engine
from rvae.scoring.calibration import Calibration
from rvae.scoring.clusters import find_clusters, require_gap
from rvae.scoring.events import PERSISTENT, Event
from rvae.scoring.thresholds import ThresholdRule

__all__ = ["EventStream", "PointStream", "SettledPoints", "Stretch", "stretches"]


class Stretch(NamedTuple):
    """Neighbouring windows of a series.

    Attributes:
        series: The whole series.
        analysis: Results of the windows, whose starts count from the beginning of the series.
        thresholds: Threshold of each window (W,).
    """

    series: Series
    analysis: Analysis
    thresholds: NDArray[np.float64]

    @property
    def is_first(self) -> bool:
        """Whether the series begins here."""
        return bool(self.analysis.starts[0] == 0)

    @property
    def is_last(self) -> bool:
        """Whether no windows of the series follow."""
        return bool(self.analysis.starts[-1] + self.analysis.card.window == len(self.series))

    def after(self, before: "Stretch | None") -> "Stretch":
        """These windows behind earlier ones."""
        if before is None:
            return self
        old, new = before.analysis, self.analysis
        fields: dict[str, Any] = {
            name: np.concatenate([getattr(old, name), getattr(new, name)])
            for name in ("starts", "latent", "mean", "score")
        }
        fields["evidence"] = {
            name: np.concatenate([values, new.evidence[name]])
            for name, values in old.evidence.items()
        }
        thresholds = np.concatenate([before.thresholds, self.thresholds])
        return Stretch(self.series, replace(new, **fields), thresholds)

    def since(self, first: int) -> "Stretch":
        """The windows from a number on, in memory of their own."""
        fields: dict[str, Any] = {
            name: getattr(self.analysis, name)[first:].copy()
            for name in ("starts", "latent", "mean", "score")
        }
        fields["evidence"] = {
            name: values[first:].copy() for name, values in self.analysis.evidence.items()
        }
        analysis = replace(self.analysis, **fields)
        return Stretch(self.series, analysis, self.thresholds[first:].copy())


def stretches(
    engine: Engine,
    series: Sequence[Series],
    stride: int | None,
    rule: ThresholdRule | None = None,
) -> Iterator[Stretch]:
    """All windows of series in stretches, in order.

    Args:
        engine: The model.
        series: In the data's units, each with N ≥ T.
        stride: Steps between windows; the model's own if left out.
        rule: Says the thresholds; the model's own if left out.
    """
    rest, rule = iter(series), rule or ThresholdRule(engine.card.calibration)
    for first, _, found in engine.scan(series, stride):
        if first == 0:
            whole, thresholds = next(rest), rule.begin_series()
        analysis = replace(found, starts=found.starts + first, length=len(whole))
        limits = np.broadcast_to(thresholds(found.score), found.score.shape)
        yield Stretch(whole, analysis, limits)


class SettledPoints(NamedTuple):
    """Points of a series that no later window covers.

    Attributes:
        first: The first one.
        analysis: Results of the windows that cover them, and of no others.
        thresholds: Thresholds of these windows (W,).
        rows: Where the points are in results of points of this analysis.
    """

    first: int
    analysis: Analysis
    thresholds: NDArray[np.float64]
    rows: slice


class PointStream:
    """Stretches of one series, in order → its points."""

    def __init__(self) -> None:
        self._covering: Stretch | None = None
        self._settled = 0

    def add(self, stretch: Stretch) -> SettledPoints:
        """The points that the windows of a stretch settle: those up to its last start."""
        held = stretch.after(self._covering)
        starts, window = held.analysis.starts, held.analysis.card.window
        first, end = self._settled, len(held.series) if held.is_last else int(starts[-1]) + 1
        origin = min(first, int(starts[0]))
        local = replace(
            held.analysis,
            starts=starts - origin,
            length=max(end, int(starts[-1]) + window) - origin,
        )
        self._settled = end
        self._covering = held.since(int(np.searchsorted(starts, end - window, side="right")))
        return SettledPoints(first, local, held.thresholds, slice(first - origin, end - origin))


class EventStream:
    """Stretches of one series, in order → its events, in order.

    Args:
        calibration: Calibration of the model.
        gap: Flagged windows with at most this many steps between them belong to one event.

    Attributes:
        decided: Later events begin at this step or after it.

    Raises:
        FieldError: If the gap is negative.
    """

    def __init__(self, calibration: Calibration, gap: int) -> None:
        require_gap(gap)
        self.decided = 0
        self._calibration = calibration
        self._gap = gap
        self._open: Stretch | None = None

    def add(self, stretch: Stretch) -> list[Event]:
        """The events that ended before the last window of a stretch."""
        held = stretch.after(self._open)
        analysis, limits = held.analysis, held.thresholds
        starts, window = analysis.starts, analysis.card.window
        clusters = find_clusters(analysis.score, limits, starts, window, self._gap)
        complete = len(clusters)
        if not held.is_last:
            # Until then a window may belong to the cluster, or show that it is persistent.
            joins = starts[clusters.last] + window + self._gap
            shows = starts[clusters.first] + PERSISTENT * window
            complete = int((np.maximum(joins, shows) < starts[-1]).sum())
        following = int(clusters.first[complete]) if complete < len(clusters) else len(starts)
        found = []
        if complete:
            found = analysis.events(
                np.where(np.arange(len(starts)) < following, limits, np.inf),
                self._calibration,
                self._gap,
            )
        self.decided = int(starts[following]) if following < len(starts) else int(starts[-1]) + 1
        # The next event depends on the windows at its first step, and on the one before it.
        covering = int(np.searchsorted(starts, self.decided - window, side="right"))
        kept = min(covering, max(0, following - 1))
        self._open = held.since(kept)
        self._open.thresholds[: following - kept] = np.inf  # they belong to no later event
        if held.is_last:
            self.decided = len(held.series)
        return found
