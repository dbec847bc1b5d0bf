"""Scores of windows → events: the anomalous stretches of a series, and their channels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rvae.scoring.clusters import find_clusters
from rvae.scoring.evidence import Placement
from rvae.scoring.location import bounds, trimmed

__all__ = [
    "PERSISTENT",
    "Event",
    "ScoreMeaning",
    "StepDetails",
    "find_events",
    "steps_in_events",
]

MAX_CHANNELS = 3  # per event

# Window lengths after which scores that stay high are a change of the series, not an anomaly, and
# the share of windows that must be high.
PERSISTENT = 5
PERSISTENT_SHARE = 0.9


@dataclass(frozen=True)
class Event:
    """An anomalous stretch of a series.

    Attributes:
        start: First step.
        end: Step after the last one.
        peak: The step with the largest error, the one to inspect first.
        score: Highest score of its windows.
        severity: Severity of that score.
        channels: The least likely channels at the peak, and their scores there.
        tail_probability: Tail probability of that score.
        persistent: Whether scores stay above the threshold of the calibration for at least
            `PERSISTENT` window lengths: a change of the series, rather than an anomaly.
    """

    start: int
    end: int
    peak: int
    score: float
    severity: float
    channels: tuple[tuple[str, float], ...]
    tail_probability: float
    persistent: bool


class ScoreMeaning(Protocol):
    """What scores of windows mean, as a calibration says it."""

    def threshold(self) -> float:
        """Score above which a window is anomalous by default."""

    def severity(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Severities of scores."""

    def tail_probability(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Tail probabilities of scores."""


class StepDetails(Protocol):
    """What is known about single steps of a series; computed for events alone."""

    def step_evidence(self, first: int, last: int) -> NDArray[np.float64]:
        """Evidence of the steps of the windows `first` to `last`, from those windows.

        Returns:
            Evidence of all steps from the first of the first window to the last of the last one,
            NaN where unknown.
        """

    def channels_at(self, step: int) -> NDArray[np.float64]:
        """Score of each channel at a step (C,), NaN where missing."""


def find_events(
    scores: NDArray[np.float64],
    thresholds: float | NDArray[np.float64],
    placement: Placement,
    details: StepDetails,
    channels: Sequence[str],
    calibration: ScoreMeaning,
    gap: int,
) -> list[Event]:
    """Find the clusters of windows that score above their threshold, and locate them.

    Args:
        scores: Score of each window (W,), NaN where nothing was observed.
        thresholds: Threshold of each window (W,), or of all.
        placement: Positions of the windows.
        details: What is known about steps.
        channels: Names of the channels.
        calibration: Calibration, for severities, probabilities, and what is persistent.
        gap: Flagged windows with at most this many steps between them belong to one event.

    Raises:
        FieldError: If the gap is negative.
    """
    clusters = find_clusters(scores, thresholds, placement.starts, placement.window, gap)
    if len(clusters) == 0:
        return []
    begins, ends = bounds(clusters, placement)
    severities = calibration.severity(clusters.score)
    probabilities = calibration.tail_probability(clusters.score)
    persistent = _persistent(scores > calibration.threshold(), clusters.first, placement)
    found = []
    for i, (first, last) in enumerate(
        zip(clusters.first.tolist(), clusters.last.tolist(), strict=True)
    ):
        evidence = details.step_evidence(first, last)
        begin, end = int(begins[i]), int(ends[i])
        origin = int(placement.starts[first])
        start, end, peak = trimmed(
            evidence[begin - origin : end - origin],
            begin,
            end,
            float(np.fmin.reduce(evidence)),
            placement.window,
        )
        found.append(
            Event(
                start,
                end,
                peak,
                float(clusters.score[i]),
                float(severities[i]),
                _leading(details.channels_at(peak), channels),
                float(probabilities[i]),
                bool(persistent[i]),
            )
        )
    return found


def steps_in_events(events: Sequence[Event], length: int, first: int = 0) -> NDArray[np.bool_]:
    """Which of N steps lie in an event: these are the anomalous steps (N,) of a series.

    Args:
        events: Its events.
        length: Number of steps N.
        first: The first of the steps.
    """
    flags = np.zeros(length, dtype=bool)
    for event in events:
        flags[max(0, event.start - first) : max(0, event.end - first)] = True
    return flags


def _persistent(
    high: NDArray[np.bool_], first: NDArray[np.int64], placement: Placement
) -> NDArray[np.bool_]:
    """Whether windows (W,) are high for long enough from the first window of each event (E,)."""
    until = placement.starts[first] + PERSISTENT * placement.window
    stop = np.searchsorted(placement.starts, until, side="right")
    before = np.concatenate([[0], np.cumsum(high)])
    enough = before[stop] - before[first] >= PERSISTENT_SHARE * (stop - first)
    # A series that ends earlier does not show it.
    return enough & (until <= placement.starts[-1])


def _leading(
    channel_scores: NDArray[np.float64], channels: Sequence[str]
) -> tuple[tuple[str, float], ...]:
    """The channels that score highest in one step (C,)."""
    known = np.where(np.isnan(channel_scores), -np.inf, channel_scores)
    order = np.argsort(-known, kind="stable")
    observed = [i for i in order.tolist() if not np.isnan(channel_scores[i])]
    return tuple((channels[i], float(channel_scores[i])) for i in observed[:MAX_CHANNELS])
