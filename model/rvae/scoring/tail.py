"""The tail of a sample → how likely values are that are higher than all of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Tail", "generalised_pareto"]

# The tail is fitted on the highest tenth of the scores, which must be so many.
PARTS_PER_TAIL = 10
MIN_EXCESSES = 20


@dataclass(frozen=True)
class Tail:
    """A generalised Pareto distribution of what lies above the highest score of a sample.

    What exceeds a high level is nearly so distributed, whatever the scores are (Pickands 1975,
    "Statistical inference using extreme order statistics"; Siffer et al. 2017, "Anomaly detection
    in streams with extreme value theory"). It is fitted above the highest tenth of the scores and
    then followed from the highest one, above which it is of the same shape.

    Attributes:
        start: The highest score.
        scale: Above it, positive, in the unit of scores.
        shape: 0 is exponential, more is heavier. It is never negative: a tail that ends would call
            impossible what is only higher than anything seen.
    """

    start: float
    scale: float
    shape: float

    @classmethod
    def fit(cls, scores: NDArray[np.float64]) -> "Tail | None":
        """Fit to scores in ascending order; None where too few of them stand out."""
        highest = len(scores) // PARTS_PER_TAIL
        if highest < MIN_EXCESSES:
            return None
        level = scores[-highest - 1]
        excesses = scores[scores > level] - level
        if len(excesses) < MIN_EXCESSES:  # the others are tied with the level
            return None
        shape, scale = generalised_pareto(excesses)
        if shape <= 0:
            shape, scale = 0.0, float(excesses.mean())
        return cls(float(scores[-1]), scale + shape * float(excesses[-1]), shape)

    def log_survival(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log of the probability that what lies above the start is at least so high; 0 below it."""
        excesses = np.maximum(scores - self.start, 0.0) / self.scale
        return -excesses if self.shape == 0 else -np.log1p(self.shape * excesses) / self.shape

    def score(self, survival: float) -> float:
        """The score that what lies above the start exceeds with a probability in (0, 1]."""
        rate = -np.log(survival)
        excess = rate if self.shape == 0 else np.expm1(self.shape * rate) / self.shape
        return float(self.start + self.scale * excess)


def generalised_pareto(excesses: NDArray[np.float64]) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution.

    The estimate of Zhang and Stephens 2009, "A new and efficient estimation method for the
    generalized Pareto distribution": the mean of the profile likelihood over a grid. Unlike
    probability-weighted moments (Hosking and Wallis 1987) it is good for heavy tails too, and
    never puts the end of the tail below an excess that was seen.

    Args:
        excesses: Positive, in ascending order.
    """
    count, highest = len(excesses), excesses[-1]
    quarter = excesses[int(count / 4 + 0.5) - 1]
    points = 30 + int(np.sqrt(count))
    grid = np.arange(1, points + 1) - 0.5
    rates = 1 / highest + (1 - np.sqrt(points / grid)) / (3 * quarter)  # their θ
    # At 0, where the distribution is exponential, the profile has a gap of the width of a point.
    rates = np.where(np.abs(rates) * highest < 1e-9, 1e-9 / highest, rates)
    negative_shapes = -np.log1p(-np.outer(rates, excesses)).mean(axis=1)  # their k
    likelihood = count * (np.log(rates / negative_shapes) + negative_shapes - 1)
    weights = np.exp(likelihood - likelihood.max())
    rate = float(rates @ weights / weights.sum())
    if abs(rate) * highest < 1e-9:
        return 0.0, float(excesses.mean())
    shape = float(np.log1p(-rate * excesses).mean())
    return shape, -shape / rate
