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

    The threshold is the quantile 1 - α of the latest n scores. At first these are the n scores of
    the calibration; each window replaces one of them. The level α, at first 1 - quantile, rises a
    little with every window that is not flagged and falls with every flagged one:
    α ← α + γ (1 - quantile - flagged) (Gibbs and Candès 2021, "Adaptive conformal inference under
    distribution shift", equation 2). For any drift of the scores, at most the share
    1 - quantile + (1 - quantile + γ) / (γ W) of W windows is flagged (as in their proposition 4.1,
    which holds for any scores).

    It cannot distinguish drift from an anomaly: a long anomaly is flagged at its beginning, and
    then learned as normal. A high rate costs precision: a level below the resolution of n scores
    makes the threshold infinite, for up to 1 / (1 - quantile) windows. At a rate above 1 - quantile
    one alarm may do that; at a tenth of it hardly any does.

    Args:
        calibration: Calibration of the model.
        rate: γ, from 0 (the threshold of the calibration) to `MAX_ADAPTATION_RATE`.
        quantile: Quantile of normal scores; the calibration's if left out.

    Raises:
        FieldError: If the rate is out of bounds, or the quantile too high for the scores.
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
        # Scores of the calibration have no order in time in which to replace them.
        self._recent = deque(np.random.default_rng(0).permutation(calibration.scores).tolist())

    def follow(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The threshold of each window (W,), which depends only on earlier scores.

        Args:
            scores: Scores of the next windows (W,); NaN does not change the threshold.
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
        # A level beyond that of the lowest score would only take longer to return.
        highest = 1 - 1 / (len(self._ascending) + 1)
        self._level = min(self._level + self._rate * (self._target - flagged), highest)
        self._recent.append(score)
        insort(self._ascending, score)
        del self._ascending[bisect_left(self._ascending, self._recent.popleft())]


def require_adaptable(calibration: Calibration, rate: float, quantile: float | None) -> None:
    """Raise a `FieldError` if the rate or the quantile is not valid for an adaptive threshold."""
    require(
        0 <= rate <= MAX_ADAPTATION_RATE,
        "adapt",
        f"must be between 0 and {MAX_ADAPTATION_RATE}, got {rate}",
    )
    count = len(calibration.scores)
    require(
        rate == 0 or quantile is None or quantile <= count / (count + 1) + 1e-12,
        "quantile",
        f"must be at most {count / (count + 1):.6g} with adapt: an adaptive threshold "
        f"uses the last {count} scores, and no tail",
    )
