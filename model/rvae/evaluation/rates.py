"""Rates that are promised, and such that were measured on scores that depend on each other."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, betabinom, t

__all__ = ["CONFIDENCE", "VERDICTS", "Rate", "Verdict"]

CONFIDENCE = 0.95

Verdict = Literal["kept", "possible", "broken"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True)
class Rate:
    """A share that is promised, and the one that was measured.

    Attributes:
        promised: The share that is promised, at the most, on average over calibrations.
        measured: The share that was measured.
        low: Lower end of the 95 % interval of the share in data like the measured one, with this
            calibration.
        high: Its upper end.
        most: The measured share that is exceeded in at most one of 40 cases if data and calibration
            are as they should be: a single calibration may be worse than the promise, which is an
            average.
        blocks: Number of independent blocks that were measured.
    """

    promised: float
    measured: float
    low: float
    high: float
    most: float
    blocks: int

    @classmethod
    def measure(
        cls,
        promised: float,
        hits: NDArray[np.int64],
        trials: NDArray[np.int64] | NDArray[np.float64],
        calibration_blocks: int,
    ) -> "Rate":
        """Compare a promise with independent blocks.

        The interval is that of Clopper and Pearson 1934 for as many independent trials as have the
        same variance as the blocks (Korn and Graubard 1998, "Confidence intervals for proportions
        with small expected number of positive counts estimated from survey data"). These are at
        least as many as there are blocks.

        With K blocks for calibration and a promise α, the share beyond the threshold has a beta
        distribution with the parameters α (K + 1) and (1 - α) (K + 1) over calibrations (Vovk 2012,
        "Conditional validity of inductive conformal predictors", proposition 2a), and the number of
        the measured blocks beyond it a beta-binomial one. `most` is its quantile. Where only some
        of a block's windows are beyond the threshold, both vary less.

        Args:
            promised: The promised share.
            hits: Number of trials of each block (K,) that count.
            trials: Number of all trials of each block (K,), above 0 and not less than its hits; not
                necessarily whole numbers.
            calibration_blocks: Number of blocks of the calibration.
        """
        blocks, total = len(trials), float(trials.sum())
        share = float(hits.sum() / total)
        low, high = _clopper_pearson(share, _independent_trials(hits, trials))
        pseudo = calibration_blocks + 1
        chance = betabinom(blocks, promised * pseudo, (1 - promised) * pseudo)
        most = float(chance.ppf(1 - (1 - CONFIDENCE) / 2)) / blocks
        return cls(promised, share, low, high, max(most, promised), blocks)

    @property
    def verdict(self) -> Verdict:
        """Whether the promise is kept.

        It is "kept" if the measured share is not above the promise, and "broken" if it is so far
        above it, and its whole interval too, that chance is no explanation: the data is not like
        that of the calibration. Otherwise it is "possible": chance explains the difference.
        """
        if self.measured <= self.promised:
            return "kept"
        return "broken" if self.measured > self.most and self.low > self.promised else "possible"

    def per(self, steps: float) -> "Rate":
        """The rate in another unit: a share of stretches of this many steps as a rate per step."""
        return Rate(
            self.promised / steps,
            self.measured / steps,
            self.low / steps,
            self.high / steps,
            self.most / steps,
            self.blocks,
        )


def _independent_trials(
    hits: NDArray[np.int64], trials: NDArray[np.int64] | NDArray[np.float64]
) -> float:
    """The number of independent trials whose share of hits varies as much as that of blocks."""
    blocks, total = len(trials), float(trials.sum())
    share = hits.sum() / total
    if blocks == 1 or share in (0, 1):
        return float(blocks)
    residual = hits - share * trials
    # Windows at the border of neighbouring blocks overlap.
    squares = (residual**2).sum() + 2 * max(0.0, (residual[1:] * residual[:-1]).sum())
    variance = blocks / (blocks - 1) * float(squares) / total**2
    if variance == 0:
        return float(blocks)
    # The variance itself is known from blocks only, and of rare hits from those that have some.
    telling = min(int((hits > 0).sum()), int((hits < trials).sum()), blocks - 1)
    tail = 1 - (1 - CONFIDENCE) / 2
    correction = (t.ppf(tail, total) / t.ppf(tail, telling)) ** 2
    return float(np.clip(share * (1 - share) / variance * correction, blocks, total))


def _clopper_pearson(share: float, trials: float) -> tuple[float, float]:
    """The exact interval of a share; trials and hits need not be whole numbers."""
    hits, tail = share * trials, (1 - CONFIDENCE) / 2
    low = float(beta.ppf(tail, hits, trials - hits + 1)) if hits > 0 else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, trials - hits)) if hits < trials else 1.0
    return low, high
