"""Thresholds that follow the drift of a series."""

import math
from bisect import bisect_left, insort
from collections import deque

import numpy as np
from numpy.typing import NDArray

from rvae.errors import require
from rvae.scoring.calibration import Calibration

__all__ = ["MAX_ADAPTATION_RATE", "AdaptiveThreshold", "require_adaptable"]

MAX_ADAPTATION_RATE = 0.1


class AdaptiveThreshold:
    """Adaptive conformal inference over the windows of one series, in their order.

    The threshold is the quantile 1 - α of the latest n scores, at first the n of the calibration,
    one of which makes room for every window. The level α, at first 1 - quantile, rises a little
    with every window that is not flagged and falls with every one that is: α ← α + γ (1 - quantile
    - flagged) (Gibbs and Candès 2021, "Adaptive conformal inference under distribution shift",
    equation 2). However the scores drift, of W windows no more than the share
    1 - quantile + (1 - quantile + γ) / (γ W) is flagged (as in their proposition 4.1, which holds
    whatever the scores are that the quantile is of).

    What it cannot do is to tell drift from an anomaly: a long one is flagged where it begins, and
    then learnt as normal. Nor can it watch closely and be quick: a level below what n scores can
    tell makes the threshold infinite, for up to 1 / (1 - quantile) windows. At a rate above
    1 - quantile one alarm may do that; at a tenth of it hardly any does.

    Args:
        calibration: Of the model.
        rate: γ, from 0, for the threshold of the calibration, to `MAX_ADAPTATION_RATE`.
        quantile: Of normal scores; the calibration's if left out.

    Raises:
        FieldError: If the rate is out of bounds, or the quantile beyond what the scores support.
    """

    def __init__(
        self, calibration: Calibration, rate: float, quantile: float | None = None
    ) -> None:
        require_adaptable(calibration, rate, quantile)
        self._rate = rate
        self._first = calibration.threshold(quantile)
        self._target = 1 - (calibration.quantile if quantile is None else quantile)
        self._level = self._target
        self._ascending = calibration.scores.tolist()
        # The calibration has no order in time that they could leave in.
        self._recent = deque(np.random.default_rng(0).permutation(calibration.scores).tolist())

    def follow(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The threshold of each window (W,), which depends on scores before it alone.

        Args:
            scores: Of the windows (W,) that come next; NaN leaves the threshold as it is.
        """
        if self._rate == 0:
            return np.full(len(scores), self._first)
        thresholds = np.empty(len(scores))
        for window, score in enumerate(scores.tolist()):
            thresholds[window] = threshold = self._threshold()
            if not math.isnan(score):
                self._learn(score, score > threshold)
        return thresholds

    def _threshold(self) -> float:
        count = len(self._ascending)
        rank = math.ceil((count + 1) * (1 - self._level) - 1e-9)
        return math.inf if rank > count else self._ascending[max(rank, 1) - 1]

    def _learn(self, score: float, flagged: bool) -> None:
        # Beyond that of the lowest score a level would only have further to come back.
        highest = 1 - 1 / (len(self._ascending) + 1)
        self._level = min(self._level + self._rate * (self._target - flagged), highest)
        self._recent.append(score)
        insort(self._ascending, score)
        del self._ascending[bisect_left(self._ascending, self._recent.popleft())]


def require_adaptable(calibration: Calibration, rate: float, quantile: float | None) -> None:
    """Raise a `FieldError` where no threshold can follow at this rate, or from this quantile."""
    require(
        0 <= rate <= MAX_ADAPTATION_RATE,
        "adapt",
        f"must be between 0 and {MAX_ADAPTATION_RATE}, got {rate}",
    )
    count = len(calibration.scores)
    require(
        rate == 0 or quantile is None or quantile <= count / (count + 1) + 1e-12,
        "quantile",
        f"must be at most {count / (count + 1):.6g} together with adapt: a threshold that follows "
        f"knows the last {count} scores, and no tail",
    )
