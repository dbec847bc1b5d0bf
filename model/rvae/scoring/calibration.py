"""Scores of held-out normal windows → thresholds and tail probabilities."""

from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvae.config.alarms import alarm_text
from rvae.errors import FieldError, require
from rvae.scoring.blocks import Blocks
from rvae.scoring.ranks import blocks_needed, quantile_of, quantile_text

__all__ = ["Calibration"]

# Rounding of a decimal quantile must not make it one too high.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Calibration:
    """Scores of held-out windows that are assumed to be normal.

    Their blocks are the evidence for everything that is promised about a new normal window, if the
    block that it comes from is exchangeable with them: see `Ranks` for tail probabilities and
    thresholds, and `Blocks` for what a block is. A promise is an average over calibrations: one
    calibration may be better or worse. Nothing is promised that is rarer than K blocks can show.

    Attributes:
        blocks: Scores of the held-out windows.
        quantile: The quantile of the threshold, unless a request has another one.
        lowered: Whether it is lower than asked for, because the blocks cannot show that.
        contamination: Share of the held-out windows that were left out as anomalies, because they
            scored highest. The promise holds if as many of them were anomalies.
    """

    blocks: Blocks
    quantile: float
    lowered: bool = False
    contamination: float = 0.0

    @classmethod
    def fit(
        cls,
        blocks: Blocks,
        quantile: float,
        events_per_step: float | None = None,
        contamination: float = 0.0,
    ) -> "Calibration":
        """Keep the scores of held-out windows, without the contamination.

        The threshold is that of the quantile, or of a rate of events. If that is more than the
        blocks can show, it is the highest score, with the quantile that the blocks can show.

        Args:
            blocks: Scores of held-out windows.
            quantile: Quantile of the scores that is the threshold.
            events_per_step: Events in a step of normal data, at the most: it defines the threshold
                instead of the quantile.
            contamination: Share of the windows that may be anomalous, below a half.

        Raises:
            FieldError: If the contamination is out of bounds.
        """
        require(
            0 <= contamination < 0.5,
            "scoring.contamination",
            f"must be at least 0 and below 0.5, got {contamination}",
        )
        kept = blocks.without_highest(contamination)
        most = quantile_of(kept.windows.smallest)
        lowered = quantile > most + ROUNDING
        found = cls(kept, most if lowered else quantile, lowered, contamination)
        if events_per_step is None:
            return found
        fewest = found.fewest_events_per_step
        lowered = events_per_step < fewest * (1 - ROUNDING)
        threshold = found.threshold_of_events(fewest if lowered else events_per_step)
        return cls(kept, found.quantile_of(threshold), lowered, contamination)

    def moved(self, before: NDArray[np.float64], after: NDArray[np.float64]) -> "Calibration":
        """This calibration for scores that are computed in another way.

        Each score is moved from its quantile among the old scores to the same one among the new
        (Wilk and Gnanadesikan 1968, "Probability plotting methods for the analysis of data"). A
        score beyond those that are known in both ways is moved by as much as the last of them.

        Args:
            before: Scores of some windows (n,) as they were computed, NaN where unknown.
            after: Scores of the same windows as they are computed now.

        Raises:
            FieldError: If fewer scores are known than show the quantile of the threshold.
        """
        known = np.isfinite(before) & np.isfinite(after)
        fewest = blocks_needed(1 - self.quantile)
        require(
            known.sum() >= fewest,
            "data",
            f"holds {known.sum()} windows with a score, but the threshold at quantile "
            f"{quantile_text(self.quantile)} is only moved by {fewest} or more",
        )
        old, new = np.sort(before[known]), np.sort(after[known])
        scores = self.blocks.scores
        inside = scores.clip(old[0], old[-1])
        moved = np.interp(inside, old, new) + (scores - inside)
        return replace(self, blocks=replace(self.blocks, scores=moved))

    @property
    def scores(self) -> NDArray[np.float64]:
        """The scores in ascending order (n,)."""
        return self.blocks.windows.values

    @cached_property
    def largest_quantile(self) -> float:
        """The highest quantile that the blocks can show."""
        return quantile_of(self.blocks.windows.smallest)

    @property
    def fewest_events_per_step(self) -> float:
        """The lowest rate of events in normal data that the blocks can show."""
        return self.blocks.peaks.smallest / self.blocks.steps

    def threshold(self, quantile: float | None = None) -> float:
        """The score that a new normal window exceeds with probability at most 1 - quantile.

        Raises:
            FieldError: If the quantile is too high for the blocks.
        """
        if quantile is None:
            return self._own_threshold
        if not 0 < quantile <= self.largest_quantile + ROUNDING:
            raise FieldError(
                "quantile",
                f"must be above 0 and at most {quantile_text(self.largest_quantile)}, the limit of "
                f"{self.blocks.count} independent blocks of calibration scores",
            )
        return self.blocks.windows.threshold(1 - quantile)

    def threshold_of_events(self, per_step: float, interval: float | None = None) -> float:
        """The score above which at most so many events begin in a step of normal data.

        Args:
            per_step: Events per step.
            interval: Seconds between steps, for the error; None if the data has no times.

        Raises:
            FieldError: If the rate is too low for the blocks.
        """
        fewest = self.fewest_events_per_step
        require(
            per_step >= fewest * (1 - ROUNDING),
            "alarms",
            f"must be at least {alarm_text(fewest, interval)}, the limit of "
            f"{self.blocks.count} independent blocks of calibration scores",
        )
        return self.blocks.peaks.threshold(per_step * self.blocks.steps)

    def quantile_of(self, threshold: float) -> float:
        """The quantile that a threshold has, which its flags keep as a promise."""
        probability = self.blocks.windows.tail_probability_above(threshold)
        return min(quantile_of(probability), self.largest_quantile)  # rounding must not exceed it

    def events_per_step(self, threshold: float) -> float:
        """Events that begin above a threshold in a step of normal data, at the most.

        The windows of an event are at most T steps apart, so that no two events begin in the same
        segment of a block: an event is a segment whose highest score exceeds the threshold.
        """
        return self.blocks.peaks.tail_probability_above(threshold) / self.blocks.steps

    def tail_probability(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Bound on the probability that a normal window scores at least this high.

        A score is above the threshold of quantile q exactly if it is at most 1 - q. It is never
        below 1 / (K + 1), see `above_calibration`. NaN for a NaN score.
        """
        return self.blocks.windows.tail_probability(scores)

    def above_calibration(self, scores: ArrayLike) -> NDArray[np.bool_]:
        """Whether scores are above all held-out ones, so that their probability is only a bound."""
        return np.asarray(scores, dtype=np.float64) > self.scores[-1]

    def severity(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Scores on a scale on which 0 is usual, and 1 is the model's own threshold.

        It rises with the score without end, and tells nothing about probabilities.
        """
        return (np.asarray(scores, dtype=np.float64) - self._usual) / self.spread

    @cached_property
    def _own_threshold(self) -> float:
        return self.threshold(self.quantile)

    @cached_property
    def spread(self) -> float:
        """Distance of the model's own threshold from a usual score; positive."""
        distance = self.threshold() - self._usual
        return distance if distance > 0 else 1.0  # half of the scores are the threshold itself

    @cached_property
    def _usual(self) -> float:
        """The median of the scores that are not above the threshold."""
        # NumPy's median imports masked arrays: a tenth of a worker's start.
        return median(self.scores[self.scores <= self.threshold()].tolist())
