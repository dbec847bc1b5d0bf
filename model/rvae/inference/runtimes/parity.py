"""How far results of one runtime are from those of another, over the same windows."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.data.window_dataset import Batch
from rvae.inference.runtimes.runtime import Runtime
from rvae.scoring.calibration import Calibration
from rvae.scoring.evidence import EvidenceScorer

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """Results of two runtimes for the same windows.

    Attributes:
        expected: Scores by the runtime that is compared with (W,), NaN where nothing was observed.
        found: Scores by the other one (W,).
        latent: Largest difference of a coordinate of the latents.
        reconstruction: Largest difference of a scaled value, or of a probability of a category.
    """

    expected: NDArray[np.float64]
    found: NDArray[np.float64]
    latent: float
    reconstruction: float

    def score(self, calibration: Calibration) -> float:
        """Largest difference of the severities, in which the threshold is 1 and 0 is usual.

        That of a score further away is a share of its own severity: single precision holds seven
        digits of a number, whatever its size.
        """
        expected, found = map(calibration.severity, (self.expected, self.found))
        size = np.where(np.isfinite(expected), np.abs(expected), 1.0).clip(min=1.0)
        return _largest(expected / size, found / size)

    def tail_probability(self, expected: Calibration, found: Calibration) -> float:
        """Largest difference of the tail probabilities, each by its own calibration."""
        return _largest(
            expected.tail_probability(self.expected), found.tail_probability(self.found)
        )

    def flags(self, expected: Calibration, found: Calibration) -> int:
        """Number of windows that only one of them flags, each by its own threshold."""
        flagged = self.expected > expected.threshold(), self.found > found.threshold()
        return int((flagged[0] != flagged[1]).sum())


def compare(
    expected: Runtime, found: Runtime, scorer: EvidenceScorer, batches: Iterable[Batch]
) -> Comparison:
    """Run the same windows by two runtimes.

    Args:
        expected: The runtime that is compared with.
        found: The other one.
        scorer: Scorer of their evidence.
        batches: The windows.
    """
    scores: list[list[NDArray[np.float64]]] = [[], []]
    latent = reconstruction = 0.0
    for batch in batches:
        runs = expected.run(batch), found.run(batch)
        for kept, run in zip(scores, runs, strict=True):
            kept.append(scorer.score(run.evidence))
        latent = max(latent, _largest(runs[0].latent, runs[1].latent))
        reconstruction = max(reconstruction, _largest(runs[0].mean, runs[1].mean))
    return Comparison(np.concatenate(scores[0]), np.concatenate(scores[1]), latent, reconstruction)


def _largest(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Largest distance of numbers; infinite where only one of them is a finite number."""
    known = np.isfinite(a) & np.isfinite(b)
    if not np.array_equal(a[~known], b[~known], equal_nan=True):
        return np.inf
    return float(np.abs(a[known] - b[known]).max(initial=0.0))
