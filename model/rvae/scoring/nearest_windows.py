"""The distance of windows from the nearest training windows."""

import torch
from torch import Tensor

from rvae.config import ModelConfig, ScoringConfig
from rvae.data.scaler import Scaler
from rvae.data.window_dataset import WINDOWS_PER_BATCH, WindowDataset
from rvae.errors import require
from rvae.networks.tensor_batch import TensorBatch
from rvae.networks.vae import VAE
from rvae.scoring.channel_errors import add_categories, target
from rvae.scoring.reconstruction import Reconstruction, reconstruct

__all__ = ["NearestWindows", "capacity", "require_memory_possible"]

NEIGHBOURS = 3

# Total over all windows in the memory: some sixteen megabytes.
MAX_NUMBERS = 1 << 22


class NearestWindows:
    """A memory of training windows, as latents that the network decodes.

    Any latent may reconstruct a window; the memory is restricted to latents of training windows,
    which represent the aggregated posterior (Tomczak and Welling 2018, "VAE with a VampPrior",
    section 3). It detects windows that the decoder can generate, but that do not occur in training.

    Args:
        network: A network whose decoder has the latent as its only input.
        latent: Latents of the windows in the memory (M, D).

    Attributes:
        latent: Latents of the windows in the memory (M, D).
    """

    def __init__(self, network: VAE, latent: Tensor) -> None:
        self.latent = latent
        self._network = network
        batches = torch.split(latent, WINDOWS_PER_BATCH)
        self._windows = torch.cat([network.decode(z).mean.flatten(1) for z in batches])  # (M, T*E)

    @classmethod
    def fit(
        cls, network: VAE, scaler: Scaler, windows: WindowDataset, count: int
    ) -> "NearestWindows":
        """Make a memory of at most `count` windows, evenly chosen among all of them."""
        count = min(count, capacity(network.conditions.window * scaler.outputs))
        latents = [
            reconstruct(network, *batch).latent
            for batch in map(TensorBatch.of, windows.batches(count))
        ]
        return cls(network, torch.cat(latents))

    def errors(self, reconstruction: Reconstruction, scaler: Scaler) -> tuple[Tensor, Tensor]:
        """Distances of windows (B,), and the squared differences behind them (B, T, C)."""
        windows = self._network.instances.relative(
            target(reconstruction.x, scaler), reconstruction.context
        )
        distances, squares = self.differences(windows)
        return distances, add_categories(squares, scaler)

    def differences(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Differences of windows (B, T, E) from the nearest ones in the memory.

        Args:
            windows: Without their level and spread, if the network normalizes; NaN where missing.

        Returns:
            The mean squared difference from the few nearest (B,), NaN where nothing was observed,
            and the squared differences from the nearest (B, T, E), NaN where missing.
        """
        observed = ~windows.isnan().flatten(1)  # (B, T*E)
        values = torch.where(observed, windows.flatten(1), 0.0)
        mask = observed.to(values.dtype)
        # Missing values are left out of every term of (x - m)².
        sums = (
            values.square().sum(1, keepdim=True)
            - 2 * values @ self._windows.T
            + mask @ self._windows.square().T
        )  # (B, M)
        count = mask.sum(1)
        neighbours = min(NEIGHBOURS, len(self._windows))
        nearest, indices = sums.topk(neighbours, dim=1, largest=False)
        distances = nearest.clamp(min=0).mean(1) / torch.where(count > 0, count, torch.nan)
        return distances, (windows - self._windows[indices[:, 0]].view_as(windows)).square()


def capacity(numbers_per_window: int) -> int:
    """Number of windows of this size that the memory can hold."""
    return max(1, MAX_NUMBERS // numbers_per_window)


def require_memory_possible(scoring: ScoringConfig, model: ModelConfig) -> None:
    """Raise a `FieldError` if the decoder has other inputs than the latent."""
    require(
        scoring.memory == 0 or not (model.conditional or model.time.bypass),
        "scoring.memory",
        "must be 0 if the class or the time is an input of the decoder",
    )
