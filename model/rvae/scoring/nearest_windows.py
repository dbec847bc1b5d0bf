"""What a model remembers of its training windows."""

import torch
from torch import Tensor

from rvae.networks.vae import VAE

__all__ = ["NearestWindows", "room"]

NEAREST = 3

# Of all remembered windows together: some sixteen megabytes.
MOST_NUMBERS = 1 << 22


class NearestWindows:
    """Training windows, as the latents that the model decodes again.

    A reconstruction is as good as the best of all latents; this one is restricted to those that
    training windows have, which stand for the aggregated posterior (Tomczak and Welling 2018, "VAE
    with a VampPrior", section 3). It tells what the decoder can write but never had to.

    Args:
        vae: The model; its decoder is told nothing but the latent.
        latent: Of the remembered windows (M, D).
    """

    def __init__(self, vae: VAE, latent: Tensor) -> None:
        runs = torch.split(latent, 256)
        self._windows = torch.cat([vae.decode(z).mean.flatten(1) for z in runs])  # (M, T * E)

    def differences(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """How windows (B, T, E) differ from the nearest remembered ones.

        Args:
            windows: At their own level and spread, if the model normalises; NaN where missing.

        Returns:
            The mean squared difference from the few nearest (B,), NaN where nothing was observed,
            and the squared differences from the nearest (B, T, E), NaN where missing.
        """
        observed = ~windows.isnan().flatten(1)
        values = torch.where(observed, windows.flatten(1), 0.0)
        mask = observed.to(values.dtype)
        remembered = self._windows
        # What is missing is compared with nothing: (x - m)² opened up, term by term.
        apart = (
            values.square().sum(1, keepdim=True)
            - 2 * values @ remembered.T
            + mask @ remembered.square().T
        )
        count = mask.sum(1)
        nearest, which = apart.topk(min(NEAREST, len(remembered)), dim=1, largest=False)
        distance = nearest.clamp(min=0).mean(1) / torch.where(count > 0, count, torch.nan)
        return distance, (windows - remembered[which[:, 0]].view_as(windows)).square()


def room(numbers_a_window: int) -> int:
    """How many windows of this size can be remembered."""
    return max(1, MOST_NUMBERS // numbers_a_window)
