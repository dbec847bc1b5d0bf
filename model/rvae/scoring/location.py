"""Flagged windows and errors of steps → stretches of steps: where events lie in their windows."""

import numpy as np
from numpy.typing import NDArray

from rvae.scoring.clusters import Clusters
from rvae.scoring.evidence import Placement

__all__ = ["bounds", "trimmed"]

# Steps at the ends of a stretch with a smaller share of the highest evidence are cut off. Errors
# are squares: it is an error below a seventh of the largest. Larger shares cut off what belongs to
# an anomaly whose errors vary (benchmarks/event_width.py).
LEAST_EVIDENCE = 0.02


def bounds(clusters: Clusters, placement: Placement) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First steps of the located stretches of clusters (E,), and the steps after their last ones.

    An anomaly that flags every window which contains a part of it begins after the last step of the
    window before the first flagged one, and ends before the first step of the window after the last
    flagged one. A weak one flags only windows that contain most of it: then these two steps come in
    reverse order, and it lies between them, in all flagged windows. At the ends of the series,
    where there is no such window, a stretch reaches as far as the series.
    """
    starts, window = placement.starts, placement.window
    before = np.where(clusters.first > 0, starts[clusters.first - 1] + window, 0)
    following = np.minimum(clusters.last + 1, len(starts) - 1)
    after = np.where(clusters.last < len(starts) - 1, starts[following], placement.length)
    # Windows that do not reach as far as the next one leave steps without a window.
    begin = np.maximum(before, starts[clusters.first])
    last = np.minimum(after, starts[clusters.last] + window) - 1
    return np.minimum(begin, last), np.maximum(begin, last) + 1


def trimmed(
    evidence: NDArray[np.float64], begin: int, end: int, lowest: float, window: int
) -> tuple[int, int, int]:
    """Cut steps with hardly any evidence off the ends of a stretch, at most a window at each end.

    A long anomaly is not reduced to its worst part: windows far from it were flagged, too.

    Args:
        evidence: Evidence of each step of the stretch, NaN where unknown.
        begin: First step of the stretch.
        end: Step after its last one.
        lowest: The least evidence of the steps around, which counts as none.
        window: Time steps T.

    Returns:
        First step, step after the last one, and the step with the highest evidence: the first one
        if all evidence is unknown.
    """
    known = ~np.isnan(evidence)
    if not known.any():
        return begin, end, begin
    peak = int(np.nanargmax(evidence))
    enough = lowest + LEAST_EVIDENCE * (evidence[peak] - lowest)
    kept = np.flatnonzero(known & (evidence >= enough))
    return (
        begin + min(int(kept[0]), window),
        end - min(len(evidence) - 1 - int(kept[-1]), window),
        begin + peak,
    )
