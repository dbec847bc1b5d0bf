"""The score "excess": excess of the errors of a window over the usual ones."""

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rvae.config import ModelConfig, ScoringConfig
from rvae.data.scaler import Scaler
from rvae.data.window_dataset import WindowDataset
from rvae.networks.vae import VAE
from rvae.scoring.channel_errors import observed_mean, reconstruction_errors
from rvae.scoring.excess import FLOOR, MAX_WINDOWS, levels, normal_parts
from rvae.scoring.excess_evidence import ExcessEvidence, parts_per_channel
from rvae.scoring.nearest_windows import NearestWindows, require_memory_possible
from rvae.scoring.reconstruction import Reconstruction, measure_windows
from rvae.scoring.scorer import Scorer

__all__ = ["ErrorParts", "ExcessScorer"]


class ErrorParts:
    """Measures the errors of windows in parts, each with a level of its own.

    There are one or two types of errors with a part for every channel: those of the reconstruction
    and, if used, the distance of the window's level from the mean of the data. A last part is the
    distance from the memory, over all channels.

    Args:
        scaler: Scaler of the channels.
        parts_per_channel: Number of parts per channel: 2 to use the level of windows.
        memory: The training windows, if their distance is used.

    Attributes:
        parts_per_channel: Number of parts per channel.
        memory: The training windows, or None.
    """

    def __init__(
        self, scaler: Scaler, parts_per_channel: int, memory: NearestWindows | None
    ) -> None:
        self.parts_per_channel = parts_per_channel
        self.memory = memory
        self._scaler = scaler

    def measure(self, reconstruction: Reconstruction) -> tuple[Tensor, list[Tensor]]:
        """The parts, and the squared errors whose means they are.

        Returns:
            Parts (B, P), NaN where nothing was observed, and errors of each type (B, T, C), NaN
            where missing.
        """
        errors = [reconstruction_errors(reconstruction, self._scaler)]
        if self.parts_per_channel == 2:
            errors.append(self._level_errors(reconstruction.x))
        parts = [observed_mean(kind) for kind in errors]  # each (B, C)
        if self.memory is not None:
            distances, squares = self.memory.errors(reconstruction, self._scaler)
            parts.append(distances[:, None])
            errors.append(squares)
        return torch.cat(parts, dim=1), errors

    def _level_errors(self, x: Tensor) -> Tensor:
        """Square of the level of each numeric channel, at each observed step (B, T, C)."""
        numeric = torch.tensor(self._scaler.categories, device=x.device) == 0
        level = observed_mean(x)[:, None].square()  # (B, 1, C)
        return torch.where(x.isnan() | ~numeric, torch.nan, level)


class ExcessScorer(ExcessEvidence, Scorer):
    """The largest excess of the parts of a window's errors, in nats.

    Args:
        parts: Measures the parts.
        levels: Levels of the parts (P,).
    """

    def __init__(self, parts: ErrorParts, levels: NDArray[np.float64]) -> None:
        super().__init__(levels, parts.parts_per_channel)
        self._parts = parts

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
        memory = None
        if scoring.memory:
            memory = NearestWindows.fit(network, scaler, windows["training"], scoring.memory)
        parts = ErrorParts(scaler, parts_per_channel(scoring), memory)

        measured = {
            name: measure_windows(network, part, MAX_WINDOWS, lambda r: parts.measure(r)[0])
            for name, part in windows.items()
        }
        usual = normal_parts(measured, scoring.contamination)
        found = levels(usual)
        if scoring.level is not None:
            channels = len(scaler.categories)
            levels_of_windows = slice(channels, 2 * channels)
            farthest = np.fmax.reduce(usual[:, levels_of_windows])
            found[levels_of_windows] = np.nan_to_num(farthest * scoring.level**2)
        return cls(parts, found)

    @classmethod
    def restore(
        cls, network: VAE, scaler: Scaler, scoring: ScoringConfig, state: Mapping[str, Tensor]
    ) -> Self:
        memory = NearestWindows(network, state["memory"]) if "memory" in state else None
        parts = ErrorParts(scaler, parts_per_channel(scoring), memory)
        return cls(parts, state["levels"].cpu().numpy())

    def state(self) -> dict[str, Tensor]:
        memory = self._parts.memory
        saved = {} if memory is None else {"memory": memory.latent}
        return {**saved, "levels": torch.from_numpy(self._levels)}

    def measure(self, reconstruction: Reconstruction) -> dict[str, Tensor]:
        parts, errors = self._parts.measure(reconstruction)
        levels = torch.from_numpy(self._levels).to(parts.device)
        return {"parts": parts, "errors": _deciding_errors(parts, levels, errors)}


def _deciding_errors(parts: Tensor, levels: Tensor, errors: Sequence[Tensor]) -> Tensor:
    """The errors (B, T, C) in the part of (B, P) whose excess over its level (P,) is the largest.

    An excess grows with its ratio, which decides here.
    """
    channels = errors[0].shape[2]
    ratios = (parts.double() + FLOOR) / (levels + FLOOR)  # (B, P)
    decides = torch.where(ratios.isnan(), -torch.inf, ratios).argmax(1)[:, None, None]  # (B, 1, 1)
    places = torch.arange(channels, device=decides.device)
    chosen = torch.zeros_like(errors[0])
    for kind, squares in enumerate(errors):
        first = kind * channels
        if first + 1 == parts.shape[1]:  # the part of all channels
            chosen = torch.where(decides == first, squares, chosen)
        else:
            here = decides == first + places
            chosen = torch.where(here.any(2, keepdim=True), squares * here, chosen)
    return chosen
