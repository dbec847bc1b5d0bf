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
from rvae.scoring import aggregation
from rvae.scoring.evidence import Evidence, Placement
from rvae.scoring.excess import MAX_WINDOWS, errors_by_point, largest, levels, normal_parts
from rvae.scoring.nearest_windows import NearestWindows, require_memory_possible
from rvae.scoring.reconstruction import Reconstruction, measure_windows
from rvae.scoring.scorer import Scorer

__all__ = ["DistanceScorer"]


class DistanceScorer(Scorer):
    """Excess of a window's distance from the nearest training windows over the usual one.

    It is the excess (see `rvae.scoring.excess`) of this single part. The evidence is `parts`, the
    distances (W, 1), NaN where nothing was observed, and `errors`, the squared differences from the
    nearest window (W, T, C), NaN where missing.

    Args:
        scaler: Scaler of the channels.
        memory: The training windows.
        level: Level of the distance (1,).
    """

    def __init__(self, scaler: Scaler, memory: NearestWindows, level: NDArray[np.float64]) -> None:
        self._scaler = scaler
        self._memory = memory
        self._level = level

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

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        return largest(evidence["parts"], self._level)

    def contributions(self, evidence: Evidence) -> NDArray[np.float64]:
        return aggregation.share_by_errors(self.score(evidence), evidence["errors"])

    def step_evidence(self, evidence: Evidence, placement: Placement) -> NDArray[np.float64]:
        return errors_by_point(self.score(evidence), evidence["errors"], placement)
