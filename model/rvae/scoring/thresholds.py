"""The threshold of each window of a series."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
            FieldError: If the rate is out of bounds, or the quantile too high for the scores.
        """
        if self.adapt is not None:
            return AdaptiveThreshold(self.calibration, self.adapt, self.quantile).follow
        value = self.calibration.threshold(self.quantile) if self.value is None else self.value
        threshold = np.asarray(value, dtype=np.float64)
        return lambda scores: threshold

    def thresholds(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Thresholds of the windows of one whole series with these scores (W,)."""
        return self.begin_series()(scores)

    def thresholds_of_all(self, scores: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Thresholds of all windows of several series, one series after another."""
        if self.adapt is None:
            return self.thresholds(np.empty(0))
        return np.concatenate([self.thresholds(one) for one in scores])
