"""The protocol that every score implements.

A score is one class that derives from `Scorer` and one line in `rvae.scoring.scorers.SCORERS`.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rvae.config import ModelConfig, ScoringConfig
from rvae.data.scaler import Scaler
from rvae.scoring.aggregation import window_mean_by_point

if TYPE_CHECKING:  # The analysis of results does not need torch.
    from torch import Tensor

    from rvae.data.window_dataset import WindowDataset
    from rvae.networks.vae import VAE
    from rvae.scoring.reconstruction import Reconstruction

__all__ = ["Evidence", "Placement", "Scorer"]

Evidence = Mapping[str, NDArray[Any]]
"""Arrays (W, ...) by name: what a scorer has measured of windows."""


@dataclass(frozen=True)
class Placement:
    """Positions of the windows in a series.

    Attributes:
        starts: First step of each window (W,).
        window: Time steps T of a window.
        length: Points N of the series.
    """

    starts: NDArray[np.int64]
    window: int
    length: int


@runtime_checkable
class Scorer(Protocol):
    """Turns windows and their reconstructions into scores. Higher is more anomalous.

    While windows run through the network, `measure` keeps the evidence of each batch that the score
    needs. Everything else is computed from the evidence on demand.

    A scorer must implement the abstract methods. The others have defaults for a score that belongs
    to a window as a whole and needs only the network.
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
        network: "VAE",
        scaler: Scaler,
        scoring: ScoringConfig,
        windows: "Mapping[str, WindowDataset]",
    ) -> Self:
        """Fit the scorer of a trained network.

        Args:
            network: The trained network, on the CPU.
            scaler: Scaler of the channels.
            scoring: The options.
            windows: The windows of the parts "training", "validation" and "calibration".
        """
        return cls()

    @classmethod
    def restore(
        cls,
        network: "VAE",
        scaler: Scaler,
        scoring: ScoringConfig,
        state: "Mapping[str, Tensor]",
    ) -> Self:
        """Restore a fitted scorer from its state, which is on the network's device."""
        return cls()

    def state(self) -> "dict[str, Tensor]":
        """State for `restore`, by name: it is saved with the weights."""
        return {}

    @abstractmethod
    def measure(self, reconstruction: "Reconstruction") -> "dict[str, Tensor]":
        """Evidence of a batch of windows: tensors (B, ...) by name."""

    @abstractmethod
    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Score of each window (W,), NaN where nothing was observed."""

    @abstractmethod
    def contributions(self, evidence: Evidence) -> NDArray[np.float64]:
        """What each step and channel adds to its window's score (W, T, C), NaN where missing."""

    def point_scores(self, evidence: Evidence, placement: Placement) -> NDArray[np.float64]:
        """Score of each point of a series (N,): the mean score of the windows that cover it."""
        return window_mean_by_point(
            self.score(evidence), placement.starts, placement.window, placement.length
        )

    def channel_scores(self, evidence: Evidence, placement: Placement) -> NDArray[np.float64]:
        """Score of each channel at each point of a series (N, C).

        It is the mean contribution of the channel to the scores of the windows that cover the
        point.
        """
        channels = np.nansum(self.contributions(evidence), axis=1)  # (W, C)
        return window_mean_by_point(channels, placement.starts, placement.window, placement.length)
