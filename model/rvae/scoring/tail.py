"""The tail of a sample → probabilities of values above all of the sample."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Tail", "generalized_pareto"]

# The tail is fitted to the highest tenth of the scores, at least this many.
PARTS_PER_TAIL = 10
MIN_EXCESSES = 20


@dataclass(frozen=True)
class Tail:
    """A generalized Pareto distribution of values above the highest score of a sample.

    The excesses over a high level have approximately this distribution, for almost any scores
    (Pickands 1975, "Statistical inference using extreme order statistics"; Siffer et al. 2017,
    "Anomaly detection in streams with extreme value theory"). It is fitted to the highest tenth of
    the scores and then used above the highest one, where it has the same shape.

    Attributes:
        start: The highest score.
        scale: Positive scale above the start, in the unit of scores.
        shape: 0 is exponential, more is heavier. It is never negative: in a tail with an end, high
            scores that were never seen would be impossible.
    """

    start: float
    scale: float
    shape: float

    @classmethod
    def fit(cls, scores: NDArray[np.float64]) -> "Tail | None":
        """Fit to scores in ascending order; None if there are too few distinct high ones."""
        highest = len(scores) // PARTS_PER_TAIL
        if highest < MIN_EXCESSES:
            return None
        level = scores[-highest - 1]
        excesses = scores[scores > level] - level
        if len(excesses) < MIN_EXCESSES:  # the others are tied with the level
            return None
        shape, scale = generalized_pareto(excesses)
        if shape <= 0:
            shape, scale = 0.0, float(excesses.mean())
        return cls(float(scores[-1]), scale + shape * float(excesses[-1]), shape)

    def log_survival(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log of the probability that a value above the start is at least as high; 0 below it."""
        excesses = np.maximum(scores - self.start, 0.0) / self.scale
        return -excesses if self.shape == 0 else -np.log1p(self.shape * excesses) / self.shape

    def score(self, survival: float) -> float:
        """The score that a value above the start exceeds with a probability in (0, 1]."""
        rate = -np.log(survival)
        excess = rate if self.shape == 0 else np.expm1(self.shape * rate) / self.shape
        return float(self.start + self.scale * excess)


def generalized_pareto(excesses: NDArray[np.float64]) -> tuple[float, float]:
    """Shape and scale of a generalized Pareto distribution.

    The estimate of Zhang and Stephens 2009, "A new and efficient estimation method for the
    generalized Pareto distribution": the mean of the profile likelihood over a grid. Unlike
    probability-weighted moments (Hosking and Wallis 1987) it is accurate for heavy tails, too, and
    never ends the tail below an observed excess.

    Args:
        excesses: Positive values in ascending order.
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
