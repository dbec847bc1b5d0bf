"""Scores of held-out normal windows → thresholds and tail probabilities."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvae.errors import require
from rvae.scoring.tail import Tail

__all__ = ["Calibration", "require_enough", "windows_needed"]

# The tail is not used for rarer events.
MIN_TAIL_PROBABILITY = 1e-6


@dataclass(frozen=True, eq=False)
class Calibration:
    """Scores of held-out windows that are assumed to be normal.

    The probabilities are conformal (Vovk, Gammerman and Shafer 2005, "Algorithmic learning in a
    random world", section 2.2): for any distribution of scores, a new normal window that is
    exchangeable with the held-out ones exceeds the threshold of quantile q with probability at most
    1 - q. Windows that overlap add little information: a threshold is computed for the number of
    windows that do not overlap, which makes it higher. If they are too few to keep the promise, the
    threshold is the highest score.

    Ranks of n windows cannot resolve probabilities below 1 / (n + 1). With at least 200 scores, a
    tail that is fitted to the highest tenth of them extrapolates further, without a promise. At a
    fifth of the smallest probability of ranks it gave at most twice as many false alarms as it
    should, at a twentieth at most five times as many, on average over 1,500 calibrations on 200 or
    1,000 scores; the worst case was a Student's t with two degrees of freedom. For scores with a
    light tail it gives fewer alarms than it promises.

    Attributes:
        scores: Scores in ascending order.
        quantile: The quantile of the threshold, unless a request has another one.
        independent: Number of windows without overlap among those of the scores.
        contamination: Share of the held-out windows that were left out as anomalies, because they
            scored highest.
    """

    scores: NDArray[np.float64]
    quantile: float
    independent: int
    contamination: float = 0.0

    @classmethod
    def fit(
        cls,
        scores: NDArray[np.float64],
        quantile: float,
        independent: int,
        contamination: float = 0.0,
    ) -> "Calibration":
        """Keep the scores of held-out windows, without NaN and without the contamination.

        Raises:
            FieldError: If too few are left for the quantile, or the contamination is not a share
                below a half.
        """
        require(
            0 <= contamination < 0.5,
            "scoring.contamination",
            f"must be at least 0 and below 0.5, got {contamination}",
        )
        ascending = np.sort(scores[~np.isnan(scores)])
        kept = ascending[: len(ascending) - round(contamination * len(ascending))]
        require_enough(len(kept), quantile)
        return cls(kept, quantile, min(independent, len(kept)), contamination)

    @property
    def largest_quantile(self) -> float:
        """The highest possible quantile: that of the tail, if there is one."""
        return (
            self._largest_rank
            if self._tail is None
            else max(self._largest_rank, 1 - MIN_TAIL_PROBABILITY)
        )

    @property
    def keeps_promise(self) -> bool:
        """Whether there are enough windows without overlap for the quantile."""
        return self.independent >= windows_needed(self.quantile)

    def threshold(self, quantile: float | None = None) -> float:
        """The score that a new normal window exceeds with probability at most 1 - quantile.

        Raises:
            FieldError: If the quantile is too high for the scores.
        """
        quantile = self.quantile if quantile is None else quantile
        require(
            0 < quantile <= self.largest_quantile + 1e-12,
            "quantile",
            f"must be above 0 and at most {self.largest_quantile:.6g}, the limit of "
            f"{len(self.scores)} calibration scores",
        )
        if self._tail is not None and quantile > self._largest_rank + 1e-12:
            return self._tail.score((1 - quantile) * (len(self.scores) + 1))
        # The share of scores below the threshold is that of a rank among windows without overlap.
        # Rounding of a decimal quantile must not move it to the next rank.
        rank = np.ceil((self.independent + 1) * quantile - 1e-9)
        share = min(max(rank, 1) / self.independent, 1.0) if self.independent else 1.0
        return float(self.scores[int(np.ceil(share * len(self.scores) - 1e-9)) - 1])

    def tail_probability(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Bound on the probability that a normal window scores at least this high.

        With k of n held-out windows at least that high, it is (k + 1) / (n + 1). Above all of them
        it decreases further if there is a tail, but is never 0. NaN for a NaN score.
        """
        scores = np.asarray(scores, dtype=np.float64)
        probability = self._ranked(scores) * np.exp(self._log_beyond(scores))
        return np.maximum(probability, np.finfo(np.float64).tiny)

    def severity(self, scores: ArrayLike) -> NDArray[np.float64]:
        """-log10 of the tail probability; it still rises where that reaches its smallest number."""
        scores = np.asarray(scores, dtype=np.float64)
        return np.log10(1 / self._ranked(scores)) - self._log_beyond(scores) / np.log(10)

    def judged(
        self, scores: NDArray[np.float64], threshold: float | NDArray[np.float64]
    ) -> dict[str, NDArray[Any]]:
        """Scores, tail probabilities, severities and flags above a threshold, as columns."""
        return {
            "score": scores,
            "tail_probability": self.tail_probability(scores),
            "severity": self.severity(scores),
            "threshold": np.asarray(threshold),
            "is_anomaly": scores > threshold,
        }

    @cached_property
    def _tail(self) -> Tail | None:
        return Tail.fit(self.scores)

    @property
    def _largest_rank(self) -> float:
        """The highest quantile that ranks support."""
        return len(self.scores) / (len(self.scores) + 1)

    def _ranked(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bound on the tail probability by ranks."""
        as_high = len(self.scores) - np.searchsorted(self.scores, scores, side="left")
        return np.where(np.isnan(scores), np.nan, (as_high + 1) / (len(self.scores) + 1))

    def _log_beyond(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log of the factor by which the tail reduces it."""
        return np.zeros_like(scores) if self._tail is None else self._tail.log_survival(scores)


def windows_needed(quantile: float) -> int:
    """Number of independent scores that a quantile needs."""
    return int(np.ceil(quantile / (1 - quantile) - 1e-9))


def require_enough(windows: int, quantile: float) -> None:
    """Raise a `FieldError` if there are too few calibration windows for the quantile."""
    require(
        windows >= windows_needed(quantile),
        "training.quantile",
        f"{quantile} needs at least {windows_needed(quantile)} calibration windows with a value, "
        f"but there are {windows}: lower it, raise data.calibration or give more data",
    )
