"""The protocol that every score implements.

A score is one class that derives from `Scorer` and one line in `rvae.scoring.scorers.SCORERS`.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Protocol, Self, runtime_checkable

from torch import Tensor

from rvae.config import ModelConfig, ScoringConfig
from rvae.data.scaler import Scaler
from rvae.data.window_dataset import WindowDataset
from rvae.networks.vae import VAE
from rvae.scoring.evidence import EvidenceScorer
from rvae.scoring.reconstruction import Reconstruction

__all__ = ["Scorer"]


@runtime_checkable
class Scorer(EvidenceScorer, Protocol):
    """Turns windows and their reconstructions into scores. Higher is more anomalous.

    While windows run through the network, `measure` keeps the evidence of each batch that the score
    needs. Everything else is computed from the evidence on demand.

    A scorer must implement `measure`, `score` and `contributions`. The other methods have defaults
    for a score that belongs to a window as a whole and needs only the network.
    """

    @classmethod
    def check(cls, scoring: ScoringConfig, model: ModelConfig) -> None:
        """Check the configuration before training starts.

        Raises:
            FieldError: If this score is not possible with these options or for this network.
        """
        return

    @classmethod
    def fit(
        cls,
        network: VAE,
        scaler: Scaler,
        scoring: ScoringConfig,
        windows: Mapping[str, WindowDataset],
    ) -> Self:
        """Fit the scorer of a trained network.

        Args:
            network: The trained network, on the CPU.
            scaler: Scaler of the channels.
            scoring: The options.
            windows: The windows of the parts "training" and "validation". Those that calibrate the
                fitted scorer have no influence on it.
        """
        return cls()

    @classmethod
    def restore(
        cls,
        network: VAE,
        scaler: Scaler,
        scoring: ScoringConfig,
        state: Mapping[str, Tensor],
    ) -> Self:
        """Restore a fitted scorer from its state, which is on the network's device."""
        return cls()

    def state(self) -> dict[str, Tensor]:
        """State for `restore`, by name: it is saved with the weights."""
        return {}

    @abstractmethod
    def measure(self, reconstruction: Reconstruction) -> dict[str, Tensor]:
        """Evidence of a batch of windows: tensors (B, ...) by name."""
