"""Inputs for the computation of outputs."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.inference.analysis import Analysis
from rvae.inference.card import Card
from rvae.scoring.calibration import Calibration
from rvae.scoring.thresholds import ThresholdRule

__all__ = ["Computation"]


@dataclass(frozen=True)
class Computation:
    """Inputs for the computation of the outputs of a request.

    Intermediate results of several outputs are computed once, for all series of the request: most
    series may have a single window, too little for a call of NumPy.

    Attributes:
        analyses: What the model finds in each series.
        card: Card of the model.
        stride: Steps between windows.
        quantile: Quantile of normal scores above which a window is anomalous; the card's if None.
        alarms: Rate of false events, in place of a quantile.
        threshold: Score above which a window is anomalous, in place of a quantile.
        adapt: Rate at which the threshold follows each series; None if it is fixed.
        gap: Maximum steps between windows of one event; the stride if None.
        most_events: Maximum number of events that an answer has room for.
    """

    analyses: Sequence[Analysis]
    card: Card
    stride: int
    quantile: float | None = None
    alarms: str | None = None
    threshold: float | None = None
    adapt: float | None = None
    gap: int | None = None
    most_events: int = sys.maxsize

    @property
    def calibration(self) -> Calibration:
        """The calibration of the model."""
        return self.card.calibration

    @cached_property
    def rule(self) -> ThresholdRule:
        """The rule for the thresholds of the request."""
        quantile = self.card.quantile_of(self.quantile, self.alarms)
        return ThresholdRule(self.calibration, self.adapt, quantile, self.threshold)

    @cached_property
    def thresholds(self) -> NDArray[np.float64]:
        """The threshold of each window of all series (W,), or without axes that of all windows."""
        return self.rule.thresholds_of_all([analysis.score for analysis in self.analyses])

    def by_series(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        """Values per window of all series (W, ...) → those of each; one number holds for each."""
        if values.ndim == 0:
            return [values] * len(self.analyses)
        return [values[start:end] for start, end in self._borders]

    @cached_property
    def _borders(self) -> list[tuple[int, int]]:
        counts = (len(analysis.starts) for analysis in self.analyses)
        return list(pairwise(accumulate(counts, initial=0)))
