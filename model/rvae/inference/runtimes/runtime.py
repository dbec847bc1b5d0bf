"""What a runtime computes of windows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rvae.data.window_dataset import Batch
from rvae.scoring.evidence import Evidence

__all__ = ["Run", "Runtime"]


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


class Runtime(Protocol):
    """Runs batches of windows through a trained network and its scorer.

    Attributes:
        name: Name of the runtime in options and descriptions.
        windows_per_run: Most windows of a batch.
        concurrency: Batches that may run at a time, each in a thread of its own.
    """

    name: str
    windows_per_run: int
    concurrency: int

    def run(self, batch: Batch) -> Run:
        """Results for a batch of windows."""

    def encode(self, batch: Batch) -> NDArray[np.float32]:
        """Centres of q(z|x) (B, D) alone: nothing is decoded."""

    def decode(
        self, latent: NDArray[np.float32], time: NDArray[np.float32], label: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Means of p(x|z) (B, T, E), scaled.

        Args:
            latent: Latents (B, D).
            time: Calendar features of the steps (B, T, K).
            label: Index of each window's class (B,), negative without one.
        """

    def settings(self) -> Mapping[str, Any]:
        """What was chosen on this machine, as JSON data."""
