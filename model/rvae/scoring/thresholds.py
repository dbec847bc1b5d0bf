"""The threshold of each window of a series, and what it tells about the window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.scoring.adaptive_threshold import AdaptiveThreshold
from rvae.scoring.calibration import Calibration

__all__ = ["ThresholdRule"]


@dataclass(frozen=True)
class ThresholdRule:
    """One threshold for all windows, or one that follows the scores of each series.

    Thresholds are an array without axes if they are the same for all windows.

    Attributes:
        calibration: Calibration of the model.
        adapt: Rate at which the threshold follows each series; fixed if None.
        quantile: Quantile of normal scores; the calibration's if None.
        value: The threshold itself, instead of a quantile; not valid with `adapt`.
    """

    calibration: Calibration
    adapt: float | None = None
    quantile: float | None = None
    value: float | None = None

    def begin_series(self) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        """A function from the scores (W,) of each stretch of one series to its thresholds.

        It is called once per stretch, in order: an adaptive threshold depends on earlier scores.

        Raises:
            FieldError: If the rate is out of bounds, or the quantile too high for the calibration.
        """
        if self.adapt is not None:
            return AdaptiveThreshold(self.calibration, self.adapt, self.quantile).follow
        threshold = np.asarray(self._limit, dtype=np.float64)
        return lambda scores: threshold

    def thresholds(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Thresholds of the windows of one whole series with these scores (W,)."""
        return self.begin_series()(scores)

    def thresholds_of_all(self, scores: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Thresholds of all windows of several series, one series after another."""
        if self.adapt is None:
            return self.thresholds(np.empty(0))
        return np.concatenate([self.thresholds(one) for one in scores])

    def judged(
        self, scores: NDArray[np.float64], thresholds: NDArray[np.float64]
    ) -> dict[str, NDArray[Any]]:
        """What the thresholds of windows tell about their scores (W,), as columns (W,).

        A threshold that has drifted is that of normal windows which have drifted as far: the tail
        probability is that of the score without the drift. So the windows whose tail probability is
        at most 1 - quantile are those that are flagged, with drift as without it. The severity is
        that of the score as it is. The drift has its unit: with the model's own quantile, a window
        is flagged if its severity is above 1 + drift.

        Args:
            scores: Scores of the windows (W,).
            thresholds: Their thresholds (W,), or without axes that of all, from this rule.
        """
        limit = self._limit
        shifts = thresholds - limit
        flagged = scores > thresholds
        undrifted = scores
        if self.adapt is not None:
            # Rounding must not move a score to the other side of the threshold.
            undrifted = np.where(
                flagged,
                np.maximum(scores - shifts, np.nextafter(limit, np.inf)),
                np.minimum(scores - shifts, limit),
            )
        return {
            "score": scores,
            "tail_probability": self.calibration.tail_probability(undrifted),
            "above_calibration": self.calibration.above_calibration(undrifted),
            "severity": self.calibration.severity(scores),
            "threshold": thresholds,
            "drift": shifts / self.calibration.spread,
            "is_anomaly": flagged,
        }

    @cached_property
    def _limit(self) -> float:
        """The threshold before it follows any scores."""
        return self.calibration.threshold(self.quantile) if self.value is None else self.value
