"""A trained model at work: series in; latents, reconstructions and scores out."""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from rvae.data.calendar import calendar_features
from rvae.data.context import Context
from rvae.data.series import Series
from rvae.data.window_dataset import Batch, WindowDataset
from rvae.data.windows import chunks, window_starts
from rvae.errors import require
from rvae.inference.analysis import Analysis
from rvae.inference.artifact import Artifact
from rvae.inference.evidence import Evidence
from rvae.networks.objective import negative_log_likelihood
from rvae.scoring import aggregation
from rvae.scoring.excess import largest

__all__ = ["Engine"]

# Large enough to fill the matrix units of a processor, small enough that hidden states of long
# windows stay within its caches and a GPU's memory.
WINDOWS_PER_BATCH = 256

# What is kept of a stretch with so many numbers, or of its windows, fits into a few hundred
# megabytes.
NUMBERS_PER_CHUNK = 1 << 23

# When the steps of windows that nobody dated are, and how far apart.
PLACEHOLDER_START, PLACEHOLDER_INTERVAL = np.datetime64("2026-01-01T00:00:00", "us"), 3600.0


class Ran(NamedTuple):
    """What the network says of some windows, as `Analysis` describes it."""

    latent: NDArray[np.float32]
    mean: NDArray[np.float32]
    nll: NDArray[np.float32]
    parts: NDArray[np.float32]
    errors: NDArray[np.float32]


class Engine:
    """Runs an artifact on a device.

    Args:
        artifact: The trained model.
        device: Torch's name of the device.

    Attributes:
        checksum: Of the artifact's weights.
    """

    def __init__(self, artifact: Artifact, device: str = "cpu") -> None:
        self.card = artifact.card
        self.checksum = artifact.checksum
        self.device = torch.device(device)
        self._vae = artifact.build().to(self.device)
        with torch.inference_mode():
            memory = None if artifact.memory is None else artifact.memory.to(self.device)
            self._evidence = Evidence(self.card, self._vae, memory)

    @classmethod
    def load(cls, path: str | Path, device: str = "cpu") -> "Engine":
        """Load a checkpoint or an artifact's folder."""
        return cls(Artifact.load(path), device)

    def analyse(
        self,
        series: Sequence[Series | NDArray[np.float64]],
        strides: Sequence[int] | int | None = None,
    ) -> list[Analysis]:
        """Run every window of several series, all windows together in as few runs as possible.

        Args:
            series: In the data's units, each with N ≥ T; just the values (N, C), NaN where missing,
                where nothing else is known of them.
            strides: Steps between windows, for each series or for all; the card's if left out.

        Returns:
            One analysis a series, in order.

        Raises:
            FieldError: If a series does not fit the model, or a stride is not positive.
        """
        if strides is None:
            strides = self.card.stride
        if isinstance(strides, int):
            strides = [strides] * len(series)
        given = [
            one if isinstance(one, Series) else Series(one, str(i)) for i, one in enumerate(series)
        ]
        for one, stride in zip(given, strides, strict=True):
            self._check(one)
            require(stride >= 1, "stride", f"must be at least 1, got {stride}")
        return self._analyse(given, strides) if given else []

    def _analyse(self, given: Sequence[Series], strides: Sequence[int]) -> list[Analysis]:
        ran = self._run(self.windows(given, strides))
        scores = self._scores(ran)
        starts = [
            window_starts(len(one), self.card.window, stride)
            for one, stride in zip(given, strides, strict=True)
        ]
        borders = pairwise(accumulate(map(len, starts), initial=0))
        return [
            Analysis(
                starts=at,
                **{name: part[first:end] for name, part in ran._asdict().items()},
                score=scores[first:end],
                length=len(one),
                scaler=self.card.scaler,
                channels=self.card.channels,
                levels=self._evidence.levels,
                kinds=self._evidence.kinds,
            )
            for one, at, (first, end) in zip(given, starts, borders, strict=True)
        ]

    def scan(
        self, series: Sequence[Series], stride: int | None = None
    ) -> Iterator[tuple[int, Series, Analysis]]:
        """Analyse slab by slab, so that series of any length and number fit into memory.

        Args:
            series: In the data's units, each with N ≥ T.
            stride: Steps between windows; the card's if left out.

        Yields:
            The step at which a stretch of a series begins, the stretch, and its analysis. Together
            the stretches have exactly the windows of the series.

        Raises:
            FieldError: If a series does not fit the model, or the stride is not positive.
        """
        stride = self.card.stride if stride is None else stride
        require(stride >= 1, "stride", f"must be at least 1, got {stride}")
        for one in series:
            self._check(one)
            stretches = chunks(one, self.card.window, stride, self._windows_per_chunk(stride))
            for first, stretch in stretches:
                (analysis,) = self._analyse([stretch], [stride])
                yield first, stretch, analysis

    def scores(self, windows: WindowDataset, most: int) -> NDArray[np.float64]:
        """Scores of windows, or of so many of them, evenly chosen: (W,), NaN where unobserved."""
        return np.concatenate([self._scores(ran) for _, ran in self._some(windows, most)])

    def parts(self, windows: WindowDataset, most: int) -> NDArray[np.float32]:
        """Parts of the errors of windows, chosen as for `scores`: (W, P)."""
        return np.concatenate([ran.parts for _, ran in self._some(windows, most)])

    def latents(self, windows: WindowDataset, most: int) -> NDArray[np.float32]:
        """Latents of windows, chosen as for `scores`: (W, D)."""
        return np.concatenate([ran.latent for _, ran in self._some(windows, most)])

    def residuals(
        self, windows: WindowDataset, most: int, highest: float
    ) -> Iterator[NDArray[np.float32]]:
        """By how much values exceed their reconstruction, scaled, some windows at a time.

        Args:
            windows: Of which some are chosen as for `scores`.
            most: How many at the most.
            highest: Windows that score higher are left out.

        Yields:
            Residuals (B, T, C), NaN where missing and for categorical channels.
        """
        for batch, ran in self._some(windows, most):
            normal = ~(self._scores(ran) > highest)
            yield batch.x.numpy()[normal] - self.card.scaler.numbers(ran.mean[normal])

    def _some(self, windows: WindowDataset, most: int) -> Iterator[tuple[Batch, Ran]]:
        chosen = np.linspace(0, len(windows) - 1, min(len(windows), most), dtype=int)
        for run in np.split(chosen, range(WINDOWS_PER_BATCH, len(chosen), WINDOWS_PER_BATCH)):
            batch = windows.__getitems__(run.tolist())
            yield batch, self._run_batch(batch)

    def _scores(self, ran: Ran) -> NDArray[np.float64]:
        levels = self._evidence.levels
        return aggregation.window_scores(ran.nll) if levels is None else largest(ran.parts, levels)

    def windows(self, series: Sequence[Series], strides: Sequence[int] | int) -> WindowDataset:
        """All windows of some series as the network reads them."""
        return WindowDataset(
            series,
            self.card.scaler,
            self.card.window,
            strides,
            self.card.model.time.calendar,
        )

    def sample(self, count: int, label: str | None = None, seed: int = 0) -> NDArray[np.float64]:
        """Draw windows from the model: latents from the prior, and what they decode to.

        Args:
            count: How many windows S.
            label: Their class, where the model is conditional.
            seed: Of the latents.

        Returns:
            Windows (S, T, C) in the data's units; of categories, the number of the likeliest.

        Raises:
            FieldError: If the class is missing, unknown or not asked for.
        """
        return self.decode(self.prior(count, seed), label)

    def prior(self, count: int, seed: int) -> torch.Tensor:
        """Latents (S, D) drawn from the prior, the same on every device."""
        random = torch.Generator().manual_seed(seed)
        return torch.randn(count, self.card.model.latent, generator=random)

    @torch.inference_mode()
    def decode(self, latent: torch.Tensor, label: str | None = None) -> NDArray[np.float64]:
        """What latents (S, D) decode to, as `sample` returns it, in windows that nobody dated."""
        card = self.card
        require(
            card.model.conditional == (label is not None),
            "label",
            f"must be one of {', '.join(card.vocabulary.classes)}"
            if card.model.conditional
            else "is only for conditional models",
        )
        time = torch.from_numpy(
            calendar_features(self.placeholder_times(), card.model.time.calendar)
        )
        kind = -1 if label is None else self.class_of(label)
        said = []
        for z in latent.split(WINDOWS_PER_BATCH):
            context = Context(time.expand(len(z), -1, -1), torch.full((len(z),), kind))
            decoded = self._vae.decode(z.to(self.device), context.to(self.device))
            said.append(decoded.mean.cpu().numpy())
        return card.scaler.inverse(np.concatenate(said))

    def placeholder_times(self) -> NDArray[np.datetime64]:
        """Times (T,) that a window might have."""
        interval = self.card.interval or PLACEHOLDER_INTERVAL
        steps = np.arange(self.card.window) * np.timedelta64(int(interval * 1e6), "us")
        return PLACEHOLDER_START + steps

    def class_of(self, label: str) -> int:
        """Index of a class.

        Raises:
            FieldError: If the model does not know it.
        """
        classes = self.card.vocabulary.classes
        require(label in classes, "label", f"{label!r} is none of {', '.join(classes)}")
        return classes.index(label)

    def _windows_per_chunk(self, stride: int) -> int:
        """Neither they nor the steps between them should be too many."""
        steps = max(self.card.window, stride)
        return max(1, NUMBERS_PER_CHUNK // (steps * self.card.scaler.spread))

    def _check(self, series: Series) -> None:
        card, shape = self.card, series.values.shape
        require(
            len(shape) == 2 and shape[1] == len(card.channels),
            "series",
            f"expected (N, {len(card.channels)}), got {shape}",
        )
        require(
            len(series) >= card.window,
            "series",
            f"has {len(series)} points, the model needs {card.window}",
        )
        card.require_in_bounds(series)
        if card.model.time.calendar:
            next(series.pieces()).clock()
        if card.model.conditional:
            require(
                series.classified,
                "label",
                "is missing or unknown, but this model is conditional: it knows "
                + ", ".join(card.vocabulary.classes),
            )

    def _run(self, windows: WindowDataset) -> Ran:
        steps, channels = self.card.window, len(self.card.channels)
        shapes = {
            "latent": (self.card.model.latent,),
            "mean": (steps, self.card.scaler.spread),
            "nll": (steps, channels),
            "parts": (self._evidence.count,),
            "errors": (steps if self._evidence.count else 0, channels),
        }
        whole = Ran(
            **{
                name: np.empty((len(windows), *shape), dtype=np.float32)
                for name, shape in shapes.items()
            }
        )
        for first in range(0, len(windows), WINDOWS_PER_BATCH):
            run = range(first, min(first + WINDOWS_PER_BATCH, len(windows)))
            for part, of_run in zip(whole, self._run_batch(windows.__getitems__(run)), strict=True):
                part[run.start : run.stop] = of_run
        return whole

    @torch.inference_mode()
    def _run_batch(self, batch: Batch) -> Ran:
        x = batch.x.to(self.device)  # (B, T, C)
        mask = ~x.isnan()
        posterior, context = self._vae.encode(x, mask, batch.context.to(self.device))
        z = posterior.centre  # (B, D)
        p = self._vae.decode(z, context)
        nll = negative_log_likelihood(p, x, mask).masked_fill(~mask, torch.nan)
        parts, errors = self._evidence(x, p.mean, context)
        said = (part.cpu().numpy() for part in (z, p.mean, nll, parts, errors))
        return Ran(*said)
