"""Affiliation metrics: distance of alarms from events, compared with random alarms.

Huet, Navarro and Rossi 2022, "Local evaluation of time series anomaly detection algorithms", KDD.
"""

import numpy as np
from numpy.typing import NDArray

from rvae.data.intervals import intervals

__all__ = ["affiliation"]


def affiliation(
    labels: NDArray[np.bool_], ranks: NDArray[np.int64], thresholds: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Affiliation precision and recall of the alarms at several thresholds.

    Time is a line on which step i is [i, i + 1). It is cut half-way between events into zones, one
    for each event. With |E| the length of a zone, the value of a point at distance d from its
    target is the probability that a random point of the zone is at least as far from the target:

    - precision, of a flagged point with the event as target: 1 for d = 0, else
      1 - (length of the event + d + min(d, room)) / |E|, where `room` is the distance between the
      event and the nearer border of the zone;
    - recall, of a point of the event with the nearest alarm of the zone as target: 1 for d = 0,
      else 1 - (d + min(d, room)) / |E|, where `room` is the distance between the point and the
      nearer border; 0 if the zone has no alarm.

    Both are means over the points of a zone and then over zones; precision is a mean over the
    zones with an alarm.

    Args:
        labels: Which steps are anomalous (N,), at least one.
        ranks: Number of thresholds below each step's score (N,).
        thresholds: Number of thresholds.

    Returns:
        Precision and recall (thresholds,), lowest threshold first; both 0 without alarms.
    """
    starts, stops = intervals(labels)
    borders = np.r_[0, (stops[:-1] + starts[1:]) / 2, len(labels)]
    precision = _precision(starts, stops, borders, ranks, thresholds)
    recall = _recall(labels, starts, stops, borders, ranks, thresholds)
    return precision, recall


def _precision(
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    borders: NDArray[np.float64],
    ranks: NDArray[np.int64],
    thresholds: int,
) -> NDArray[np.float64]:
    # Values are linear in time between multiples of 1/2: means over halves of steps are exact.
    middle = (np.arange(2 * len(ranks)) + 0.5) / 2
    zone = np.searchsorted(borders, middle) - 1
    distance = np.maximum(starts[zone] - middle, middle - stops[zone])
    room = np.minimum(starts - borders[:-1], borders[1:] - stops)[zone]
    random = (stops - starts)[zone] + distance + np.minimum(distance, room)
    worth = np.where(distance > 0, 1 - random / np.diff(borders)[zone], 1.0)
    cell = zone * (thresholds + 1) + np.repeat(ranks, 2)
    cells = len(starts) * (thresholds + 1)
    total, alarms = (
        # A step is flagged at all thresholds below its rank.
        np.bincount(cell, weights, cells).reshape(-1, thresholds + 1)[:, :0:-1].cumsum(axis=1)
        for weights in (worth, None)
    )
    zones = np.maximum((alarms > 0).sum(axis=0), 1)
    return ((total / np.maximum(alarms, 1)).sum(axis=0) / zones)[::-1]


def _recall(
    labels: NDArray[np.bool_],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    borders: NDArray[np.float64],
    ranks: NDArray[np.int64],
    thresholds: int,
) -> NDArray[np.float64]:
    steps = np.flatnonzero(labels)
    zone = np.searchsorted(starts, steps, side="right") - 1
    begin, end = borders[zone], borders[zone + 1]
    # Here values are linear between multiples of 1/4.
    middle = steps + np.array([[1], [3], [5], [7]]) / 8
    room = np.minimum(middle - begin, end - middle)
    recall = np.zeros(thresholds)
    for threshold in range(ranks.max()):
        alarms = np.flatnonzero(ranks > threshold)
        around = np.r_[-np.inf, alarms, np.inf]
        following = np.searchsorted(alarms, steps)
        before, after = around[following] + 1, around[following + 1]
        before[before <= begin] = -np.inf
        after[after >= end] = np.inf
        distance = np.maximum(np.minimum(middle - before, after - middle), 0)
        worth = np.maximum(1 - (distance + np.minimum(distance, room)) / (end - begin), 0)
        recall[threshold] = (np.bincount(zone, worth.mean(axis=0)) / (stops - starts)).mean()
    return recall
