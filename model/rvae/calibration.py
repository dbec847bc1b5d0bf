"""Scores of held-out normal windows → thresholds and tail probabilities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvae.errors import require

__all__ = ["Calibration", "require_enough", "windows_needed"]


@dataclass(frozen=True, eq=False)
class Calibration:
    """The scores of windows that were held out and are taken as normal.

    The probabilities are conformal (Vovk, Gammerman and Shafer 2005, "Algorithmic learning in a
    random world", section 2.2): whatever the distribution of scores is, a fresh normal window
    that is exchangeable with the held-out ones exceeds the threshold of quantile q with
    probability at most 1 - q. Windows that overlap tell little more than one of them does: the
    promise holds only where enough of the held-out windows do not overlap.

    Attributes:
        scores: Ascending.
        quantile: The quantile that becomes the threshold where nobody asks for another.
        independent: How many windows without overlap the scores come from.
    """

    scores: NDArray[np.float64]
    quantile: float
    independent: int

    @classmethod
    def fit(cls, scores: NDArray[np.float64], quantile: float, independent: int) -> "Calibration":
        """Keep the scores of held-out normal windows, NaN left out."""
        calibration = cls(np.sort(scores[~np.isnan(scores)]), quantile, independent)
        require_enough(len(calibration.scores), quantile)
        return calibration

    @property
    def largest_quantile(self) -> float:
        """The highest quantile that this many scores can tell."""
        return len(self.scores) / (len(self.scores) + 1)

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
        # A quantile that came through decimals must not be pushed to the next rank by rounding.
        rank = int(np.ceil((len(self.scores) + 1) * quantile - 1e-9))
        return float(self.scores[max(rank, 1) - 1])

    def tail_probability(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Bound on the probability that a normal window scores at least this high.

        With k of n held-out windows that high it is (k + 1) / (n + 1); NaN for a NaN score.
        """
        scores = np.asarray(scores, dtype=np.float64)
        as_high = len(self.scores) - np.searchsorted(self.scores, scores, side="left")
        return np.where(np.isnan(scores), np.nan, (as_high + 1) / (len(self.scores) + 1))


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
