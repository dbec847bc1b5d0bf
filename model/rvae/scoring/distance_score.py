"""The score "distance": distance of a window from the nearest training windows."""

from collections.abc import Mapping
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rvae.config import ModelConfig, ScoringConfig
from rvae.data.scaler import Scaler
from rvae.data.window_dataset import WindowDataset
from rvae.networks.vae import VAE
from rvae.scoring.distance_evidence import DistanceEvidence
from rvae.scoring.excess import MAX_WINDOWS, levels, normal_parts
from rvae.scoring.nearest_windows import NearestWindows, require_memory_possible
from rvae.scoring.reconstruction import Reconstruction, measure_windows
from rvae.scoring.scorer import Scorer

__all__ = ["DistanceScorer"]


class DistanceScorer(DistanceEvidence, Scorer):
    """Excess of a window's distance from the nearest training windows over the usual one.

    Args:
        scaler: Scaler of the channels.
        memory: The training windows.
        level: Level of the distance (1,).
    """

    def __init__(self, scaler: Scaler, memory: NearestWindows, level: NDArray[np.float64]) -> None:
        self._scaler = scaler
        super().__init__(level)
        self._memory = memory

    @classmethod
    def check(cls, scoring: ScoringConfig, model: ModelConfig) -> None:
        require_memory_possible(scoring, model)

    @classmethod
    @torch.inference_mode()
    def fit(
        cls,
        network: VAE,
        scaler: Scaler,
        scoring: ScoringConfig,
        windows: Mapping[str, WindowDataset],
    ) -> Self:
        memory = NearestWindows.fit(network, scaler, windows["training"], scoring.memory)

        parts = {
            name: measure_windows(
                network, part, MAX_WINDOWS, lambda r: memory.errors(r, scaler)[0][:, None]
            )
            for name, part in windows.items()
        }
        return cls(scaler, memory, levels(normal_parts(parts, scoring.contamination)))

    @classmethod
    def restore(
        cls, network: VAE, scaler: Scaler, scoring: ScoringConfig, state: Mapping[str, Tensor]
    ) -> Self:
        memory = NearestWindows(network, state["memory"])
        return cls(scaler, memory, state["levels"].cpu().numpy())

    def state(self) -> dict[str, Tensor]:
        return {"memory": self._memory.latent, "levels": torch.from_numpy(self._level)}

    def measure(self, reconstruction: Reconstruction) -> dict[str, Tensor]:
        distances, errors = self._memory.errors(reconstruction, self._scaler)
        return {"parts": distances[:, None], "errors": errors}
