"""Scores of held-out normal windows → thresholds and tail probabilities."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvae.errors import require
from rvae.scoring.tail import Tail

__all__ = ["Calibration", "require_enough", "windows_needed"]

# The tail is no evidence for anything rarer.
MIN_TAIL_PROBABILITY = 1e-6


@dataclass(frozen=True, eq=False)
class Calibration:
    """The scores of windows that were held out and are taken as normal.

    The probabilities are conformal (Vovk, Gammerman and Shafer 2005, "Algorithmic learning in a
    random world", section 2.2): whatever the distribution of scores is, a fresh normal window
    that is exchangeable with the held-out ones exceeds the threshold of quantile q with
    probability at most 1 - q. Windows that overlap tell little more than one of them does: a
    threshold is taken as from so many windows as do not overlap, which is higher, and where they
    are too few to keep the promise it is the highest score.

    Of n windows ranks tell nothing that is rarer than 1 / (n + 1). Where 200 or more scores are
    there, a tail that is fitted on the highest tenth of them goes on from there. That is an
    extrapolation and no promise: asked for a fifth of what ranks can tell it gave at most twice as
    many false alarms as it should, asked for a twentieth at most five times as many, on average
    over 1,500 calibrations on 200 or 1,000 scores, the worst of them of a Student's t with two
    degrees of freedom. Of scores with a light tail it gives fewer alarms than it says.

    Attributes:
        scores: Ascending.
        quantile: The quantile that becomes the threshold unless a request asks for another.
        independent: How many windows without overlap the scores come from.
        contamination: Share of the held-out windows that scored highest, were taken for anomalies
            and are not among the scores.
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
        """Keep the scores of held-out normal windows, NaN and what contaminates them left out.

        Raises:
            FieldError: If too few are left for the quantile, or the contamination is no share below
                a half.
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
        """The highest quantile that is possible: of the tail where there is one."""
        return (
            self._largest_rank
            if self._tail is None
            else max(self._largest_rank, 1 - MIN_TAIL_PROBABILITY)
        )

    @property
    def keeps_promise(self) -> bool:
        """Whether windows without overlap are enough to tell the quantile."""
        return self.independent >= windows_needed(self.quantile)

    def threshold(self, quantile: float | None = None) -> float:
        """The score that a fresh normal window exceeds with probability at most 1 - quantile.

        Raises:
            FieldError: If the quantile is beyond what the scores can tell.
        """
        quantile = self.quantile if quantile is None else quantile
        require(
            0 < quantile <= self.largest_quantile + 1e-12,
            "quantile",
            f"must be above 0 and at most {self.largest_quantile:.6g}, which is what "
            f"{len(self.scores)} calibration scores can tell",
        )
        if self._tail is not None and quantile > self._largest_rank + 1e-12:
            return self._tail.score((1 - quantile) * (len(self.scores) + 1))
        # The rank is that among windows without overlap, and the score has that share of all below
        # it. A quantile that came through decimals must not be pushed to the next one by rounding.
        rank = np.ceil((self.independent + 1) * quantile - 1e-9)
        share = min(max(rank, 1) / self.independent, 1.0) if self.independent else 1.0
        return float(self.scores[int(np.ceil(share * len(self.scores) - 1e-9)) - 1])

    def tail_probability(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Bound on the probability that a normal window scores at least this high.

        With k of n held-out windows that high it is (k + 1) / (n + 1); what is higher than all of
        them is less and less likely, but never impossible, where there is a tail. NaN for a NaN
        score.
        """
        scores = np.asarray(scores, dtype=np.float64)
        probability = self._ranked(scores) * np.exp(self._log_beyond(scores))
        return np.maximum(probability, np.finfo(np.float64).tiny)

    def severity(self, scores: ArrayLike) -> NDArray[np.float64]:
        """How many zeros the tail probability has: -log10 of it, which rises where that ends."""
        scores = np.asarray(scores, dtype=np.float64)
        return np.log10(1 / self._ranked(scores)) - self._log_beyond(scores) / np.log(10)

    def judged(
        self, scores: NDArray[np.float64], threshold: float | NDArray[np.float64]
    ) -> dict[str, NDArray[Any]]:
        """Scores, what they mean, and whether they are above a threshold, by their usual names."""
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
        """The highest quantile that ranks can tell."""
        return len(self.scores) / (len(self.scores) + 1)

    def _ranked(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The bound that ranks give."""
        as_high = len(self.scores) - np.searchsorted(self.scores, scores, side="left")
        return np.where(np.isnan(scores), np.nan, (as_high + 1) / (len(self.scores) + 1))

    def _log_beyond(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log of what the tail leaves of it."""
        return np.zeros_like(scores) if self._tail is None else self._tail.log_survival(scores)


def windows_needed(quantile: float) -> int:
    """How many independent scores it takes to tell a quantile."""
    return int(np.ceil(quantile / (1 - quantile) - 1e-9))


def require_enough(windows: int, quantile: float) -> None:
    """Raise a `FieldError` where this many calibration windows cannot tell the quantile."""
    require(
        windows >= windows_needed(quantile),
        "training.quantile",
        f"{quantile} needs at least {windows_needed(quantile)} calibration windows with a value, "
        f"but there are {windows}: lower it, raise data.calibration or give more data",
    )
