"""Windows of series through a runtime."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rvae.data.window_dataset import Batch, WindowDataset
from rvae.inference.card import ModelSpec
from rvae.inference.concurrency import in_order
from rvae.inference.runtimes.runtime import Run, Runtime
from rvae.scoring.blocks import Stretch
from rvae.scoring.evidence import EvidenceScorer

__all__ = ["MAX_SCORES", "Runner", "residual_windows"]

# More scores would enlarge the checkpoint, and hardly improve a quantile.
MAX_SCORES = 100_000

# Windows whose residuals are looked at: their values fit into a hundred megabytes.
MAX_RESIDUAL_WINDOWS, MAX_RESIDUALS = 4_000, 1 << 24

# Long enough to show how long scores depend on each other, and to hold many windows in a row.
WINDOWS_PER_STRETCH = 10_000


R = TypeVar("R")


class Runner:
    """Runs windows through a runtime, in batches as large as it likes, and scores them.

    Args:
        spec: Specification of the model.
        runtime: Computes network and evidence.
        scorer: Computes scores from evidence.
    """

    def __init__(self, spec: ModelSpec, runtime: Runtime, scorer: EvidenceScorer) -> None:
        self.scorer = scorer
        self._spec = spec
        self._runtime = runtime

    def run(self, windows: WindowDataset) -> Run:
        """Run all windows."""
        if len(windows) <= self._runtime.windows_per_run:
            return self._runtime.run(windows.__getitems__(range(len(windows))))
        whole: Run | None = None
        for indices, batch in self._runs(windows, self._runtime.run):
            whole = whole or _room_for(len(windows), batch)
            for rows, array in zip(_arrays(batch), _arrays(whole), strict=True):
                array[indices.start : indices.stop] = rows
        assert whole is not None
        return whole

    def encode(self, windows: WindowDataset) -> NDArray[np.float32]:
        """Centres of q(z|x) of all windows (W, D): nothing is decoded."""
        return np.concatenate([latent for _, latent in self._runs(windows, self._runtime.encode)])

    def stretches(self, windows: WindowDataset, most: int) -> list[Stretch]:
        """Scores of at most `most` windows, in stretches of neighbouring ones, evenly chosen.

        They are those of all windows if nothing was observed in the chosen ones.
        """
        runs = windows.runs(most, WINDOWS_PER_STRETCH)
        scored = windows.subset(np.concatenate(runs))
        scores = np.concatenate([scores for _, _, scores in self._scored(scored, len(scored))])
        if np.isnan(scores).all() and len(scores) < len(windows):
            return self.stretches(windows, len(windows))
        ends = np.cumsum([len(run) for run in runs])[:-1]
        return [
            Stretch(some, windows.starts(run))
            for some, run in zip(np.split(scores, ends), runs, strict=True)
        ]

    def residuals(
        self, windows: WindowDataset, count: int
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float64]]]:
        """Residuals of scaled values, values minus reconstruction, in batches of windows.

        Args:
            windows: The windows, of which some are chosen, evenly spaced.
            count: Maximum number of windows.

        Yields:
            Residuals (B, T, C), NaN where missing and for categorical channels, and scores (B,).
        """
        for batch, run, scores in self._scored(windows, count):
            yield batch.x - self._spec.scaler.numbers(run.mean), scores

    def _scored(
        self, windows: WindowDataset, count: int
    ) -> Iterator[tuple[Batch, Run, NDArray[np.float64]]]:
        some = windows.subset(windows.evenly_spaced(count))
        for _, scored in self._runs(some, self._score):
            yield scored

    def _score(self, batch: Batch) -> tuple[Batch, Run, NDArray[np.float64]]:
        run = self._runtime.run(batch)
        return batch, run, self.scorer.score(run.evidence)

    def _runs(
        self, windows: WindowDataset, compute: Callable[[Batch], R]
    ) -> Iterator[tuple[range, R]]:
        """Indices and results of batches, in order."""
        size = self._runtime.windows_per_run
        batches = (
            range(first, min(first + size, len(windows))) for first in range(0, len(windows), size)
        )

        def result(indices: range) -> tuple[range, R]:
            return indices, compute(windows.__getitems__(indices))

        return in_order(result, batches, self._runtime.concurrency)


def residual_windows(spec: ModelSpec) -> int:
    """Number of windows whose residuals bands are made of, at the most."""
    return min(MAX_RESIDUAL_WINDOWS, max(1, MAX_RESIDUALS // (spec.window * len(spec.channels))))


def _arrays(run: Run) -> tuple[NDArray[Any], ...]:
    return run.latent, run.mean, *run.evidence.values()


def _room_for(windows: int, batch: Run) -> Run:
    """An empty run of `windows` windows, with shapes and types of a batch."""

    def empty(array: NDArray[Any]) -> NDArray[Any]:
        return np.empty((windows, *array.shape[1:]), array.dtype)

    evidence = {name: empty(array) for name, array in batch.evidence.items()}
    return Run(empty(batch.latent), empty(batch.mean), evidence)
