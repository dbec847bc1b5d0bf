"""Results of a model for one series."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rvae.inference.card import ModelSpec
from rvae.scoring import aggregation
from rvae.scoring.calibration import Calibration
from rvae.scoring.events import Event, find_events
from rvae.scoring.evidence import Evidence, EvidenceScorer, Placement

__all__ = ["Analysis", "Encoded"]

# Evidence of the steps of events is computed in pieces, so that a long event needs little memory.
STEPS_AT_ONCE = 1024


@dataclass(frozen=True)
class Encoded:
    """Latents of the W windows of one series.

    Attributes:
        starts: First step of each window (W,).
        latent: Centre of q(z|x) (W, D).
    """

    starts: NDArray[np.int64]
    latent: NDArray[np.float32]


@dataclass(frozen=True)
class Analysis(Encoded):
    """Results of a model for the W windows of one series.

    E is the number of channels, where a categorical channel counts once per category.

    Attributes:
        card: Card of the model.
        scorer: Scorer of the model.
        length: Points N of the series.
        mean: Mean of p(x|z) at the centre of q(z|x), scaled; for categories, their probabilities
            (W, T, E).
        evidence: Evidence of the windows, measured by the scorer.
        score: Score of each window (W,), NaN where nothing was observed.
    """

    card: ModelSpec
    scorer: EvidenceScorer
    length: int
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

        NaN where no window has a score.

        Args:
            thresholds: Threshold of each window (W,), or of all.
        """
        return aggregation.step_scores(
            self.score, thresholds, self.starts, self.card.window, self.length
        )

    def events(
        self, thresholds: float | NDArray[np.float64], calibration: Calibration, gap: int
    ) -> list[Event]:
        """The events of the series, in order: located clusters of windows above their threshold.

        Args:
            thresholds: Threshold of each window (W,), or of all.
            calibration: Calibration of the model.
            gap: Flagged windows with at most this many steps between them belong to one event.

        Raises:
            FieldError: If the gap is negative.
        """
        return find_events(
            self.score, thresholds, self.placement, self, self.card.channels, calibration, gap
        )

    def step_evidence(self, first: int, last: int) -> NDArray[np.float64]:
        """How much each step of some windows speaks for an anomaly, see the scorer.

        Args:
            first: Number of the first window.
            last: Number of the last one.

        Returns:
            Evidence of the steps from the first of the first window to the last of the last one,
            NaN where unknown.
        """
        begin, end = int(self.starts[first]), int(self.starts[last]) + self.card.window
        pieces = []
        for at in range(begin, end, STEPS_AT_ONCE):
            until = min(at + STEPS_AT_ONCE, end)
            pieces.append(self._of_steps(self.scorer.step_evidence, at, until, first, last + 1))
        return np.concatenate(pieces)

    def channels_at(self, step: int) -> NDArray[np.float64]:
        """Score of each channel at a step (C,), see the scorer, NaN where missing."""
        scores = self._of_steps(self.scorer.channel_scores, step, step + 1, 0, len(self.starts))
        return scores[0]

    def _of_steps(
        self,
        compute: Callable[[Evidence, Placement], NDArray[np.float64]],
        begin: int,
        end: int,
        first: int,
        stop: int,
    ) -> NDArray[np.float64]:
        """Results of steps (end - begin, ...), from those windows `first:stop` that cover them."""
        window = self.card.window
        low = max(first, int(np.searchsorted(self.starts, begin - window, side="right")))
        high = min(stop, int(np.searchsorted(self.starts, end, side="left")))
        starts = self.starts[low:high]  # none within a hole between windows
        origin = int(min([begin, *starts[:1]]))
        length = int(max([end, *(starts[-1:] + window)])) - origin
        results = compute(
            {name: values[low:high] for name, values in self.evidence.items()},
            Placement(starts - origin, window, length),
        )
        return results[begin - origin : end - origin]
