"""A trained model at work: series in; latents, reconstructions and scores out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rvae import scoring
from rvae.artifact import Artifact
from rvae.data.scaler import Scaler
from rvae.data.windows import every_window, window_starts
from rvae.errors import require
from rvae.objective import negative_log_likelihood

__all__ = ["Analysis", "Engine"]

# Large enough to fill the matrix units of a processor, small enough that hidden states of long
# windows stay within its caches and a GPU's memory.
WINDOWS_A_RUN = 256


@dataclass(frozen=True)
class Analysis:
    """What a model makes of the W windows of one series.

    Attributes:
        starts: First step of each window (W,).
        latent: Mean of q(z|x) (W, D).
        mean: Mean of p(x|z) at the mean of q(z|x), scaled (W, T, C).
        nll: -log p(x|z) of each value, scaled, NaN where missing (W, T, C).
        length: Points N of the series.
        scaler: Of the model.
    """

    starts: NDArray[np.int64]
    latent: NDArray[np.float32]
    mean: NDArray[np.float32]
    nll: NDArray[np.float32]
    length: int
    scaler: Scaler

    @cached_property
    def score(self) -> NDArray[np.float64]:
        """Score of each window (W,), NaN where nothing was observed."""
        return scoring.window_scores(self.nll)

    @property
    def point_scores(self) -> NDArray[np.float64]:
        """Score of each point (N,), the mean over the windows that cover it."""
        return scoring.over_series(scoring.point_scores(self.nll), self.starts, self.length)

    @property
    def reconstruction(self) -> NDArray[np.float64]:
        """Reconstruction of each point in the data's units (N, C), the mean over its windows."""
        return self.scaler.inverse(scoring.over_series(self.mean, self.starts, self.length))


class Engine:
    """Runs an artifact on a device.

    Args:
        artifact: The trained model.
        device: Torch's name of the device.
    """

    def __init__(self, artifact: Artifact, device: str = "cpu") -> None:
        self.card = artifact.card
        self.device = torch.device(device)
        self._vae = artifact.build().to(self.device)

    @classmethod
    def load(cls, path: str | Path, device: str = "cpu") -> "Engine":
        """Load a checkpoint or an artifact's folder."""
        return cls(Artifact.load(path), device)

    def analyse(
        self, series: Sequence[NDArray[np.float64]], strides: Sequence[int] | int | None = None
    ) -> list[Analysis]:
        """Run every window of several series, all windows together in as few runs as possible.

        Args:
            series: Arrays (N, C) in the data's units, NaN where missing, each with N ≥ T.
            strides: Steps between windows, for each series or for all; the card's if left out.

        Returns:
            One analysis a series, in order.

        Raises:
            FieldError: If a series has the wrong shape, or a stride is not positive.
        """
        if strides is None:
            strides = self.card.stride
        if isinstance(strides, int):
            strides = [strides] * len(series)
        for values, stride in zip(series, strides, strict=True):
            self._check(values)
            require(stride >= 1, "stride", f"must be at least 1, got {stride}")
        if not series:
            return []
        starts = [
            window_starts(len(values), self.card.window, stride)
            for values, stride in zip(series, strides, strict=True)
        ]
        views = [every_window(self.card.scaler.transform(s), self.card.window) for s in series]
        latent, mean, nll = self._run(views, starts)
        borders = np.cumsum([len(s) for s in starts])[:-1]
        return [
            Analysis(
                starts=at,
                latent=latent_part,
                mean=mean_part,
                nll=nll_part,
                length=len(values),
                scaler=self.card.scaler,
            )
            for values, at, latent_part, mean_part, nll_part in zip(
                series,
                starts,
                np.split(latent, borders),
                np.split(mean, borders),
                np.split(nll, borders),
                strict=True,
            )
        ]

    def windows(
        self, series: Sequence[NDArray[np.float64]], analyses: Sequence[Analysis]
    ) -> NDArray[np.float32]:
        """The scaled windows (W, T, C) of all series that these analyses are of."""
        return np.concatenate(
            [
                every_window(self.card.scaler.transform(values), self.card.window)[analysis.starts]
                for values, analysis in zip(series, analyses, strict=True)
            ]
        )

    @torch.inference_mode()
    def typical_window(self) -> NDArray[np.float64]:
        """What the centre of the prior decodes to, in the data's units (T, C)."""
        centre = torch.zeros(1, self.card.model.latent, device=self.device)
        return self.card.scaler.inverse(self._vae.decode(centre).mean[0].cpu().numpy())

    def _check(self, values: NDArray[np.float64]) -> None:
        window, channels = self.card.window, len(self.card.channels)
        require(
            values.ndim == 2 and values.shape[1] == channels,
            "series",
            f"expected (N, {channels}), got {values.shape}",
        )
        require(
            len(values) >= window, "series", f"has {len(values)} points, the model needs {window}"
        )

    def _run(
        self, views: Sequence[NDArray[np.float32]], starts: Sequence[NDArray[np.int64]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        owners = np.repeat(np.arange(len(starts)), [len(s) for s in starts])
        places = np.concatenate(starts)
        shape = (len(places), self.card.window, len(self.card.channels))
        latent = np.empty((len(places), self.card.model.latent), dtype=np.float32)
        mean = np.empty(shape, dtype=np.float32)
        nll = np.empty(shape, dtype=np.float32)
        for first in range(0, len(places), WINDOWS_A_RUN):
            run = slice(first, first + WINDOWS_A_RUN)
            windows = np.stack(
                [views[owner][place] for owner, place in zip(owners[run], places[run], strict=True)]
            )
            latent[run], mean[run], nll[run] = self._run_windows(windows)
        return latent, mean, nll

    @torch.inference_mode()
    def _run_windows(
        self, windows: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        x = torch.from_numpy(windows).to(self.device)  # (B, T, C)
        mask = ~x.isnan()
        z = self._vae.encode(x, mask).mean  # (B, D)
        p = self._vae.decode(z)
        nll = negative_log_likelihood(p, x, mask).masked_fill(~mask, torch.nan)
        return z.cpu().numpy(), p.mean.cpu().numpy(), nll.cpu().numpy()
