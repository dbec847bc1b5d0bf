"""Events of a series that took several requests, by the model's own search."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from rvae.client.bulk import Bulk, Result, Wanted
from rvae.scoring.clusters import find_clusters
from rvae.scoring.events import Event, find_events
from rvae.scoring.evidence import Placement
from rvae.serving.contract.outputs.channel_scores import CHANNEL_SCORES
from rvae.serving.contract.outputs.step_evidence import STEP_EVIDENCE

__all__ = ["locate_events"]


def locate_events(bulk: Bulk, result: Result, stride: int, gap: int) -> list[Event]:
    """The events of a series, in order, by the scores of its windows.

    What an answer says about the events of a part is not what they are in the whole: an event may
    reach over the end of a request. So windows are clustered here, and the server is asked about
    the steps of the clusters alone.

    Args:
        bulk: Asks the server.
        result: Results of the series, with the scores of its windows.
        stride: Steps between windows.
        gap: Flagged windows with at most this many steps between them belong to one event.

    Raises:
        FieldError: If the gap is negative.
        UnavailableError: If an answer did not come in time.
    """
    known, starts, scores = bulk.description, result.starts, result.fields["score"]
    placement = Placement(starts, known.window, len(result.series))
    thresholds = result.fields["threshold"]
    clusters = find_clusters(scores, thresholds, starts, known.window, gap)
    bulk = replace(bulk, progress=False)  # there is one for the series
    asked = _Asked(len(known.channels))
    spans = list(zip(clusters.first.tolist(), clusters.last.tolist(), strict=True))
    asked.evidence = dict(
        zip(spans, _of_steps(bulk, result, spans, stride, STEP_EVIDENCE.name), strict=True)
    )

    def found() -> list[Event]:
        meaning = _Answered(result, known.threshold)
        return find_events(scores, thresholds, placement, asked, known.channels, meaning, gap)

    # The first search is for the peaks.
    peaks = {event.peak: _windows_at(event.peak, placement) for event in found()}
    covered = {peak: span for peak, span in peaks.items() if span[1] >= span[0]}
    values = _of_steps(bulk, result, list(covered.values()), stride, CHANNEL_SCORES.name)
    asked.channels = {
        peak: of_span[peak - starts[first]]
        for (peak, (first, _)), of_span in zip(covered.items(), values, strict=True)
    }
    return found()


def _of_steps(
    bulk: Bulk, result: Result, spans: Sequence[tuple[int, int]], stride: int, output: str
) -> list[NDArray[np.float64]]:
    """An output of the steps of windows, by the first and the last one, from these windows."""
    parts = []
    for first, last in spans:
        begin, end = result.starts[first], result.starts[last] + bulk.description.window
        parts.append(result.series.part(int(begin), int(end)))
    return [one.fields[output] for one in bulk.results(parts, stride, [Wanted((output,))])]


def _windows_at(step: int, placement: Placement) -> tuple[int, int]:
    """The first and the last window that cover a step."""
    first = int(np.searchsorted(placement.starts, step - placement.window, side="right"))
    return first, int(np.searchsorted(placement.starts, step, side="right")) - 1


@dataclass
class _Asked:
    """What the server has said about steps, see `StepDetails`.

    Attributes:
        width: Number of channels.
        evidence: Evidence of steps by the first and the last window.
        channels: Scores of the channels (C,) by step.
    """

    width: int
    evidence: dict[tuple[int, int], NDArray[np.float64]] = field(default_factory=dict)
    channels: dict[int, NDArray[np.float64]] = field(default_factory=dict)

    def step_evidence(self, first: int, last: int) -> NDArray[np.float64]:
        return self.evidence[first, last]

    def channels_at(self, step: int) -> NDArray[np.float64]:
        return self.channels.get(step, np.full(self.width, np.nan))


class _Answered:
    """What the scores of a result mean, see `ScoreMeaning`."""

    def __init__(self, result: Result, threshold: float) -> None:
        self._threshold = threshold
        self._result = result
        self._order = np.argsort(result.fields["score"])  # NaN comes last

    def threshold(self) -> float:
        return self._threshold

    def severity(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._of("severity", scores)

    def tail_probability(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._of("tail_probability", scores)

    def _of(self, name: str, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        known = self._result.fields["score"][self._order]
        values: NDArray[np.float64] = self._result.fields[name]
        return values[self._order[np.searchsorted(known, scores)]]
