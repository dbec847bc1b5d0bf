"""Labels and scores of series that measures of detection are tried on."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["CASES", "case", "marked"]


def marked(points: int, *ranges: tuple[int, int]) -> NDArray[np.bool_]:
    labels = np.zeros(points, dtype=bool)
    for start, stop in ranges:
        labels[start:stop] = True
    return labels


def case(
    seed: int, points: int, *ranges: tuple[int, int], shift: float = 1.0
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    labels = marked(points, *ranges)
    return labels, np.random.default_rng(seed).normal(size=points) + shift * labels


CASES = {
    "inside": (*case(0, 60, (20, 26)), 8),
    "borders": (*case(1, 80, (0, 5), (40, 41), (76, 80)), 15),
    "neighbours": (*case(2, 70, (10, 12), (13, 14), (17, 25), (45, 46), (50, 52)), 20),
    "long": (*case(3, 300, (100, 190)), 400),
    "ties": (marked(90, (30, 40), (60, 61)), case(4, 90, (28, 38))[1].round(), 10),
    "one score": (marked(30, (4, 7), (20, 22)), np.full(30, 0.3), 6),
}
