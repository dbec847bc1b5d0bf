"""What speaks for an anomaly in a window: its errors, in parts, and those that decide."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rvae.data.context import Context
from rvae.inference.card import Card
from rvae.networks.vae import VAE
from rvae.scoring.excess import excess
from rvae.scoring.nearest_windows import NearestWindows

__all__ = ["Evidence"]


class Evidence:
    """Errors of windows, in parts that are each compared with a level of their own.

    There may be one or two kinds of errors with a part for every channel: those of the
    reconstruction, and if it counts the distance of the window's level from the mean of the data.
    A last part is the distance from what is remembered, of all channels together. Where the score
    is the likelihood there are none.

    Args:
        card: Of the model.
        vae: The model.
        remembered: Latents of the windows that are remembered (M, D), if there are any.

    Attributes:
        kinds: How many parts there are of each channel; 0 where the distance counts alone.
        count: Parts P.
        levels: Of the parts (P,), once they are known.
    """

    def __init__(self, card: Card, vae: VAE, remembered: Tensor | None) -> None:
        self._vae = vae
        self._scaler = card.scaler
        self._memory = None if remembered is None else NearestWindows(vae, remembered)
        # What is to be remembered must be known before the distance can count alone.
        alone = card.scoring.score == "distance" and remembered is not None
        none = alone or card.scoring.score == "likelihood"
        self.kinds = 0 if none else 1 + (card.scoring.level is not None)
        self.count = self.kinds * len(card.channels) + (remembered is not None)
        self.levels = None if card.levels is None else np.array(card.levels)

    def __call__(self, x: Tensor, mean: Tensor, context: Context) -> tuple[Tensor, Tensor]:
        """The parts, and the squared errors that they consist of.

        Args:
            x: Windows (B, T, C), NaN where missing.
            mean: Their reconstruction (B, T, E).
            context: Of the windows, with their level and spread.

        Returns:
            The parts (B, P), NaN where nothing was observed, and of each window the errors in the
            part that decides (B, T, C), NaN where missing. As long as no levels are known these
            are those of the reconstruction.
        """
        if not self.count:
            return x.new_empty(len(x), 0), x[:, :0]
        truth = torch.from_numpy(self._scaler.one_hot(x.cpu().numpy())).to(x.device)
        kinds = [self._by_channel((mean - truth).square()), self._of_level(x)][: self.kinds]
        parts = [kind.nanmean(1) for kind in kinds]  # each (B, C)
        if self._memory is not None:
            relative = self._vae.instances.relative(truth, context)
            distance, apart = self._memory.differences(relative)
            parts.append(distance[:, None])
            kinds.append(self._by_channel(apart))
        together = torch.cat(parts, dim=1)
        if self.levels is None:
            return together, kinds[0]
        return together, _deciding(excess(together.cpu().numpy(), self.levels), kinds)

    def _of_level(self, x: Tensor) -> Tensor:
        """Square of the level of each numeric channel, at each observed step (B, T, C)."""
        numeric = torch.tensor(self._scaler.categories, device=x.device) == 0
        level = x.nanmean(1, keepdim=True).square()
        return torch.where(x.isnan() | ~numeric, torch.nan, level)

    def _by_channel(self, errors: Tensor) -> Tensor:
        """Errors of what networks write (B, T, E), those of a channel's categories added up."""
        counts = [count or 1 for count in self._scaler.categories]
        if len(counts) == errors.shape[2]:
            return errors
        return torch.stack([part.sum(2) for part in torch.split(errors, counts, dim=2)], dim=2)


def _deciding(over: NDArray[np.float64], kinds: Sequence[Tensor]) -> Tensor:
    """The errors (B, T, C) in the part whose excess is the largest of (B, P)."""
    channels = kinds[0].shape[2]
    largest = np.where(np.isnan(over), -np.inf, over).argmax(axis=1)
    first = torch.from_numpy(largest).to(kinds[0].device)[:, None, None]  # (B, 1, 1)
    places = torch.arange(channels, device=first.device)
    chosen = torch.zeros_like(kinds[0])
    for kind, errors in enumerate(kinds):
        at = kind * channels
        if at + 1 == over.shape[1]:  # it is of all channels together
            chosen = torch.where(first == at, errors, chosen)
        else:
            here = first == at + places
            chosen = torch.where(here.any(2, keepdim=True), errors * here, chosen)
    return chosen
