"""Thresholds that follow the drift of a series."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from rvae.errors import require
from rvae.scoring.calibration import Calibration

__all__ = ["MAX_ADAPTATION_RATE", "AdaptiveThreshold"]

MAX_ADAPTATION_RATE = 0.1


class AdaptiveThreshold:
    """Quantile tracking over the windows of one series, in their order.

    The threshold is that of the calibration, plus a shift, at first 0. Each flagged window raises
    the shift by q η, every other one lowers it by (1 - q) η, but not below 0, where q is the
    quantile and η the rate times the spread of the calibration (Angelopoulos, Candès and Tibshirani
    2023, "Conformal PID control for time series prediction", section 2.1; the limit 0 is ours).

    What follows for any scores whatsoever, with a = 1 - q:

    - It flags no window that the threshold of the calibration would not flag: where scores do not
      drift, that keeps its promise.
    - At most the share a + (M / η + 1) / W of W windows is flagged, where M is the most by which a
      score exceeds the threshold of the calibration. So a permanent rise of the scores by M is
      learned in about M / η windows.
    - A window raises the threshold by less than η: an anomaly of L windows, each of which exceeds
      the threshold at its beginning by L η, is flagged from beginning to end. A longer one is
      learned as normal, as if it were drift.
    - The threshold returns more slowly than it rises. Still, a score as high as that of the last
      flagged window is flagged again once 1 / a windows have passed.

    A window is one step here, so a stride s makes it follow s times more slowly in time.

    Args:
        calibration: Calibration of the model.
        rate: From 0 (the threshold of the calibration) to `MAX_ADAPTATION_RATE`.
        quantile: Quantile of normal scores; the calibration's if left out.

    Raises:
        FieldError: If the rate is out of bounds, or the quantile too high for the calibration.
    """

    def __init__(
        self, calibration: Calibration, rate: float, quantile: float | None = None
    ) -> None:
        require(
            0 <= rate <= MAX_ADAPTATION_RATE,
            "adapt",
            f"must be between 0 and {MAX_ADAPTATION_RATE}, got {rate}",
        )
        self._limit = calibration.threshold(quantile)
        step = rate * calibration.spread
        self._fall = step * (1 - (calibration.quantile if quantile is None else quantile))
        self._rise = step - self._fall
        self._shift = 0.0

    def follow(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The threshold of each window (W,), which depends only on earlier scores.

        Args:
            scores: Scores of the next windows (W,); NaN does not change the threshold.
        """
        return np.fromiter(self._thresholds(scores), np.float64)

    def _thresholds(self, scores: NDArray[np.float64]) -> Iterator[float]:
        for score in np.ascontiguousarray(scores).data:
            threshold = self._limit + self._shift
            yield threshold
            if score > threshold:
                self._shift += self._rise
            elif score == score:  # not NaN
                self._shift = max(self._shift - self._fall, 0.0)
