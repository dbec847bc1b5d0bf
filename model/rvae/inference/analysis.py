"""Results of a model for one series."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rvae.inference.card import ModelSpec
from rvae.scoring import aggregation
from rvae.scoring.calibration import Calibration
from rvae.scoring.events import Event, find_events, require_gap, step_scores
from rvae.scoring.evidence import Evidence, EvidenceScorer, Placement

__all__ = ["Analysis"]


@dataclass(frozen=True)
class Analysis:
    """Results of a model for the W windows of one series.

    E is the number of channels, where a categorical channel counts once per category.

    Attributes:
        card: Card of the model.
        scorer: Scorer of the model.
        starts: First step of each window (W,).
        length: Points N of the series.
        latent: Centre of q(z|x) (W, D).
        mean: Mean of p(x|z) at the centre of q(z|x), scaled; for categories, their probabilities
            (W, T, E).
        evidence: Evidence of the windows, measured by the scorer.
        score: Score of each window (W,), NaN where nothing was observed.
    """

    card: ModelSpec
    scorer: EvidenceScorer
    starts: NDArray[np.int64]
    length: int
    latent: NDArray[np.float32]
    mean: NDArray[np.float32]
    evidence: Evidence
    score: NDArray[np.float64]

    @property
    def placement(self) -> Placement:
        """Positions of the windows in the series."""
        return Placement(self.starts, self.card.window, self.length)

    @cached_property
    def contributions(self) -> NDArray[np.float64]:
        """What each step and channel adds to its window's score (W, T, C), NaN where missing."""
        return self.scorer.contributions(self.evidence)

    @cached_property
    def point_scores(self) -> NDArray[np.float64]:
        """Score of each point (N,), see the scorer, NaN where unknown."""
        return self.scorer.point_scores(self.evidence, self.placement)

    @cached_property
    def channel_scores(self) -> NDArray[np.float64]:
        """Score of each channel at each point (N, C), see the scorer, NaN where missing."""
        return self.scorer.channel_scores(self.evidence, self.placement)

    @cached_property
    def reconstruction(self) -> NDArray[np.float64]:
        """Reconstruction of each point in the data's units (N, C), the mean over its windows.

        For a categorical channel it is the number of the most likely category.
        """
        means = aggregation.mean_by_point(self.mean, self.starts, self.length)  # (N, E)
        return self.card.scaler.inverse(means)

    def step_scores(
        self, thresholds: float | NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean score (N,) and mean threshold (N,) of the windows that cover each step.

        A step is anomalous if the first is above the second. NaN where no window has a score.

        Args:
            thresholds: Threshold of each window (W,), or of all.
        """
        return step_scores(self.score, thresholds, self.starts, self.card.window, self.length)

    def events(
        self, thresholds: float | NDArray[np.float64], calibration: Calibration, gap: int
    ) -> list[Event]:
        """The events of the series, in order: stretches of steps that score above the threshold.

        Args:
            thresholds: Threshold of each window (W,), or of all.
            calibration: Calibration of the model.
            gap: Stretches with at most this many steps between them are merged.

        Raises:
            FieldError: If the gap is negative.
        """
        require_gap(gap)
        if not (self.score > thresholds).any():
            return []  # no mean of scores at a step exceeds that of the thresholds
        scores, limits = self.step_scores(thresholds)
        return find_events(
            scores,
            limits,
            self.point_scores,
            self.channel_scores,
            self.card.channels,
            calibration,
            gap,
        )
