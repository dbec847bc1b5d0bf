"""Windows through a network and its scorer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rvae.data.window_dataset import Batch, WindowDataset
from rvae.inference.card import ModelSpec
from rvae.networks.noise import window_noise
from rvae.networks.objective import negative_elbo
from rvae.networks.vae import VAE
from rvae.scoring.blocks import Stretch
from rvae.scoring.evidence import Evidence
from rvae.scoring.reconstruction import (
    WINDOWS_PER_BATCH,
    evenly_chosen_batches,
    reconstruct,
)
from rvae.scoring.scorer import Scorer

__all__ = ["MAX_SCORES", "Run", "Runner", "residual_windows"]

# More scores would enlarge the checkpoint, and hardly improve a quantile.
MAX_SCORES = 100_000

# Windows whose residuals are looked at: their values fit into a hundred megabytes.
MAX_RESIDUAL_WINDOWS, MAX_RESIDUALS = 4_000, 1 << 24

# Long enough to show how long scores depend on each other, and to hold many windows in a row.
WINDOWS_PER_STRETCH = 10_000


@dataclass(frozen=True)
class Run:
    """Results of network and scorer for some windows.

    Attributes:
        latent: Centre of q(z|x) (W, D).
        mean: Mean of p(x|z) at the centre of q(z|x), scaled; for categories, their probabilities
            (W, T, E).
        evidence: Evidence measured by the scorer.
    """

    latent: NDArray[np.float32]
    mean: NDArray[np.float32]
    evidence: Evidence


class Runner:
    """Runs windows through a trained network, and measures what its scorer needs.

    Args:
        spec: Specification of the model.
        network: Network on the device, ready for inference.
        scorer: Scorer of the network.
        device: Device of the network.
    """

    def __init__(self, spec: ModelSpec, network: VAE, scorer: Scorer, device: torch.device) -> None:
        self.scorer = scorer
        self._spec = spec
        self._network = network
        self._device = device

    def run(self, windows: WindowDataset) -> Run:
        """Run all windows."""
        if len(windows) <= WINDOWS_PER_BATCH:
            return self._run_batch(windows.__getitems__(range(len(windows))))
        whole: Run | None = None
        for first in range(0, len(windows), WINDOWS_PER_BATCH):
            indices = range(first, min(first + WINDOWS_PER_BATCH, len(windows)))
            batch = self._run_batch(windows.__getitems__(indices))
            whole = whole or _room_for(len(windows), batch)
            for rows, array in zip(_arrays(batch), _arrays(whole), strict=True):
                array[indices.start : indices.stop] = rows
        assert whole is not None
        return whole

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
            yield batch.x.numpy() - self._spec.scaler.numbers(run.mean), scores

    @torch.inference_mode()
    def lower_bounds(self, windows: WindowDataset) -> NDArray[np.float64]:
        """Evidence lower bounds of log p(x) of all windows (W,), in nats.

        It is the negative loss at beta = 1, with one latent per window drawn from q(z|x), always
        the same one. The density of numeric values is that in the data's units: a scaler that was
        fitted to other data does not change what it is compared with.
        """
        scaler, latent = self._spec.scaler, self._spec.model.latent
        log_scale = torch.tensor(scaler.scale, dtype=torch.float64).log()  # (C,)
        bounds: list[NDArray[np.float64]] = []
        first = 0
        for batch in windows.batches():
            noise = window_noise(range(first, first + len(batch.x)), latent, seed=0)
            first += len(batch.x)
            x, mask = batch.x.to(self._device), ~batch.x.isnan()
            terms = negative_elbo(
                self._network,
                x,
                mask.to(self._device),
                batch.context.to(self._device),
                noise.to(self._device),
            )
            loss = (terms.reconstruction + terms.kl.sum(1)).double().cpu()  # (B,)
            bounds.append((-loss - (mask * log_scale).sum((1, 2))).numpy())
        return np.concatenate(bounds)

    def _scored(
        self, windows: WindowDataset, count: int
    ) -> Iterator[tuple[Batch, Run, NDArray[np.float64]]]:
        for batch in evenly_chosen_batches(windows, count):
            run = self._run_batch(batch)
            yield batch, run, self.scorer.score(run.evidence)

    @torch.inference_mode()
    def _run_batch(self, batch: Batch) -> Run:
        windows = reconstruct(
            self._network, batch.x.to(self._device), batch.context.to(self._device)
        )
        measured = self.scorer.measure(windows)
        return Run(
            _array(windows.latent),
            _array(windows.p.mean),
            {name: _array(tensor) for name, tensor in measured.items()},
        )


def residual_windows(spec: ModelSpec) -> int:
    """Number of windows whose residuals bands are made of, at the most."""
    return min(MAX_RESIDUAL_WINDOWS, max(1, MAX_RESIDUALS // (spec.window * len(spec.channels))))


def _array(tensor: Tensor) -> NDArray[Any]:
    return np.ascontiguousarray(tensor.cpu().numpy())


def _arrays(run: Run) -> tuple[NDArray[Any], ...]:
    return run.latent, run.mean, *run.evidence.values()


def _room_for(windows: int, batch: Run) -> Run:
    """An empty run of `windows` windows, with shapes and types of a batch."""

    def empty(array: NDArray[Any]) -> NDArray[Any]:
        return np.empty((windows, *array.shape[1:]), array.dtype)

    evidence = {name: empty(array) for name, array in batch.evidence.items()}
    return Run(empty(batch.latent), empty(batch.mean), evidence)
