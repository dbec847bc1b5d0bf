"""Inference with a trained model: series in; latents, reconstructions and scores out."""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvae.data.calendar import calendar_features
from rvae.data.series import Series
from rvae.data.window_dataset import WINDOWS_PER_BATCH, WindowDataset
from rvae.data.windows import chunks, count_windows, window_starts
from rvae.errors import require
from rvae.inference import latent_paths
from rvae.inference.analysis import Analysis, Encoded
from rvae.inference.artifact import Artifact
from rvae.inference.latents import require_latents
from rvae.inference.runner import Runner
from rvae.inference.runtimes.loading import load_runtime

__all__ = ["Engine"]

# Maximum numbers of a stretch, or of its windows: their results fit into some ten megabytes.
NUMBERS_PER_CHUNK = 1 << 21

# Placeholder times for windows without times: the first one, and the seconds between steps.
PLACEHOLDER_START, PLACEHOLDER_INTERVAL = np.datetime64("2026-01-01T00:00:00", "us"), 3600.0


R = TypeVar("R")


class Engine:
    """Runs an artifact on a device.

    Args:
        artifact: The trained model.
        device: Torch's name of the device.
        threads: Threads that may be used on a CPU; as many as `inference_threads` says if left
            out.
        tuned: Whether to measure how graphs are run fastest, which takes a second.
        kept: Folder that keeps what is measured for the next process, if there is one.

    Attributes:
        card: Card of the model.
        checksum: Checksum of the artifact's tensors.
        runtime: Computes the network.
        runner: Runs windows of series that were checked against the model.
    """

    def __init__(
        self,
        artifact: Artifact,
        device: str = "cpu",
        threads: int | None = None,
        tuned: bool = False,
        kept: Path | None = None,
    ) -> None:
        self.card = artifact.card
        self.checksum = artifact.checksum
        self.runtime, scorer = load_runtime(artifact, device, threads, tuned, kept)
        self.runner = Runner(self.card, self.runtime, scorer)

    @classmethod
    def load(cls, path: str | Path, device: str = "cpu") -> "Engine":
        """Load a checkpoint, an artifact's folder or an archive; see `Artifact.load`."""
        return cls(Artifact.load(path), device)

    def encode(
        self,
        series: Sequence[Series | NDArray[np.float64]],
        strides: Sequence[int] | int | None = None,
    ) -> list[Encoded]:
        """The latents alone of several series, for half the work; see `analyse`."""
        named, strides = self._checked(series, strides)
        return self._encode(named, strides) if named else []

    def analyse(
        self,
        series: Sequence[Series | NDArray[np.float64]],
        strides: Sequence[int] | int | None = None,
    ) -> list[Analysis]:
        """Analyse several series, with all their windows in as few runs as possible.

        Args:
            series: In the data's units, each with N ≥ T. Series without annotations may be arrays
                (N, C), NaN where missing.
            strides: Steps between windows, for each series or for all; the card's if left out.

        Returns:
            One analysis per series, in order.

        Raises:
            FieldError: If a series does not fit the model, or a stride is not positive.
        """
        named, strides = self._checked(series, strides)
        return self._analyse(named, strides) if named else []

    def _checked(
        self,
        series: Sequence[Series | NDArray[np.float64]],
        strides: Sequence[int] | int | None,
    ) -> tuple[list[Series], Sequence[int]]:
        """Series that fit the model, and the stride of each."""
        if strides is None:
            strides = self.card.stride
        if not isinstance(strides, Sequence):  # a whole number, which may be NumPy's
            strides = [strides] * len(series)
        named = [
            one if isinstance(one, Series) else Series(one, str(i)) for i, one in enumerate(series)
        ]
        for one, stride in zip(named, strides, strict=True):
            self.check(one)
            _require_stride(stride)
        return named, strides

    def _placed(
        self, series: Sequence[Series], strides: Sequence[int]
    ) -> Iterator[tuple[NDArray[np.int64], tuple[int, int]]]:
        """First steps of the windows of each series, and their places among those of all."""
        starts = [
            window_starts(len(one), self.card.window, stride)
            for one, stride in zip(series, strides, strict=True)
        ]
        yield from zip(starts, pairwise(accumulate(map(len, starts), initial=0)), strict=True)

    def _encode(self, series: Sequence[Series], strides: Sequence[int]) -> list[Encoded]:
        latent = self.runner.encode(self.windows(series, strides))
        return [
            Encoded(starts, latent[first:end])
            for starts, (first, end) in self._placed(series, strides)
        ]

    def _analyse(self, series: Sequence[Series], strides: Sequence[int]) -> list[Analysis]:
        run, scorer = self.runner.run(self.windows(series, strides)), self.runner.scorer
        # Of all series at once: most may have a single window, too little for a call of NumPy.
        scores = scorer.score(run.evidence)
        return [
            Analysis(
                card=self.card,
                scorer=scorer,
                starts=places,
                length=len(one),
                latent=run.latent[first:end],
                mean=run.mean[first:end],
                evidence={name: values[first:end] for name, values in run.evidence.items()},
                score=scores[first:end],
            )
            for one, (places, (first, end)) in zip(
                series, self._placed(series, strides), strict=True
            )
        ]

    def scan(
        self, series: Sequence[Series], stride: int | None = None
    ) -> Iterator[tuple[int, Series, Analysis]]:
        """Analyse series in stretches, so that any length and number of series fits into memory.

        Short stretches are run together: one run for each would take many times as long.

        Args:
            series: In the data's units, each with N ≥ T.
            stride: Steps between windows; the card's if left out.

        Yields:
            The first step of a stretch, the stretch, and its analysis. All stretches have exactly
            the windows of the series.

        Raises:
            FieldError: If a series does not fit the model, or the stride is not positive.
        """
        return self._scan(series, stride, self._analyse)

    def scan_latents(
        self, series: Sequence[Series], stride: int | None = None
    ) -> Iterator[tuple[int, Series, Encoded]]:
        """The latents alone of series in stretches, for half the work; see `scan`."""
        return self._scan(series, stride, self._encode)

    def _scan(
        self,
        series: Sequence[Series],
        stride: int | None,
        compute: Callable[[Sequence[Series], Sequence[int]], list[R]],
    ) -> Iterator[tuple[int, Series, R]]:
        stride = self.card.stride if stride is None else stride
        _require_stride(stride)
        for batch in self._stretches(series, stride):
            results = compute([stretch for _, stretch in batch], [stride] * len(batch))
            for (first, stretch), result in zip(batch, results, strict=True):
                yield first, stretch, result

    def windows(self, series: Sequence[Series], strides: Sequence[int] | int) -> WindowDataset:
        """All windows of some series, as inputs of the network.

        Raises:
            FieldError: If a stride is not positive.
        """
        for stride in [strides] if not isinstance(strides, Sequence) else strides:
            _require_stride(stride)
        return WindowDataset(
            series,
            self.card.scaler,
            self.card.window,
            strides,
            self.card.model.time.calendar,
        )

    def latents(
        self, series: Sequence[Series], windows: Sequence[int], stride: int | None = None
    ) -> NDArray[np.float32]:
        """Centres of q(z|x) (S, D) of windows, by their number among those of all series.

        Args:
            series: In the data's units, each with N ≥ T.
            windows: Numbers of the windows, from 0 on.
            stride: Steps between windows; the card's if left out.

        Raises:
            FieldError: If a series does not fit the model, or there is no such window.
        """
        for one in series:
            self.check(one)
        every = self.windows(series, self.card.stride if stride is None else stride)
        for number in windows:
            require(
                0 <= number < len(every),
                "windows",
                f"{number} is none of the {len(every)} windows, which count from 0",
            )
        return self.runner.encode(every.subset(np.array(windows)))

    def sample(self, count: int, label: str | None = None, seed: int = 0) -> NDArray[np.float64]:
        """Draw windows from the model: latents from the prior, decoded.

        Args:
            count: Number of windows S.
            label: Class of the windows, if the model is conditional.
            seed: Seed of the latents.

        Returns:
            Windows (S, T, C) in the data's units; for categories, the number of the most likely.

        Raises:
            FieldError: If the class is missing, unknown, or the model has none.
        """
        return self.decode(self.prior(count, seed), label)

    def sample_classes(self, count: int, seed: int = 0) -> NDArray[np.float64]:
        """Draw windows of every class: the same latents from the prior, decoded for each.

        Args:
            count: Number of windows S of each class.
            seed: Seed of the latents.

        Returns:
            Windows (K, S, T, C) of K classes, in the order of the vocabulary.

        Raises:
            FieldError: If the model is not conditional.
        """
        require(self.card.model.conditional, "model", "has no classes: it is not conditional")
        latent = self.prior(count, seed)
        return np.stack([self.decode(latent, name) for name in self.card.vocabulary.classes])

    def interpolate(
        self,
        a: ArrayLike,
        b: ArrayLike,
        steps: int,
        path: latent_paths.Path = "line",
        label: str | None = None,
    ) -> NDArray[np.float64]:
        """Decode latents on the way from one to another, see `latent_paths.interpolate`.

        Args:
            a: The first latent (D,).
            b: The last latent (D,).
            steps: Number of windows S, at least 2.
            path: Straight, or on the sphere.
            label: Class of the windows, if the model is conditional.

        Returns:
            Windows (S, T, C) as `sample` returns them.

        Raises:
            FieldError: If an option is invalid, or a latent does not fit the model.
        """
        first, last = np.asarray(a, np.float64), np.asarray(b, np.float64)
        for end in (first, last):
            require_latents(end[None], self.card.model.latent, "latent")
        return self.decode(latent_paths.interpolate(first, last, steps, path), label)

    def prior(self, count: int, seed: int) -> NDArray[np.float32]:
        """Latents (S, D) drawn from the prior, the same with every runtime.

        Raises:
            FieldError: If there are none to draw.
        """
        require(count >= 1, "count", f"must be at least 1, got {count}")
        shape = (count, self.card.model.latent)
        return np.random.default_rng(seed).standard_normal(shape, np.float32)

    def decode(self, latent: NDArray[np.floating], label: str | None = None) -> NDArray[np.float64]:
        """Decode latents (S, D) at placeholder times, to windows as `sample` returns them.

        Raises:
            FieldError: If the latents do not fit the model, or the class is missing, unknown, or
                the model has none.
        """
        card = self.card
        require_latents(latent, card.model.latent, "latent")
        require(
            card.model.conditional == (label is not None),
            "label",
            f"must be one of {', '.join(card.vocabulary.classes)}"
            if card.model.conditional
            else "is only valid for conditional models",
        )
        time = calendar_features(self.placeholder_times(), card.model.time.calendar)  # (T, K)
        kind = -1 if label is None else self.class_of(label)
        means = []
        for first in range(0, len(latent), WINDOWS_PER_BATCH):
            z = np.ascontiguousarray(latent[first : first + WINDOWS_PER_BATCH], np.float32)
            times = np.tile(time, (len(z), 1, 1))
            means.append(self.runtime.decode(z, times, np.full(len(z), kind)))
        return card.scaler.inverse(np.concatenate(means))

    def placeholder_times(self) -> NDArray[np.datetime64]:
        """Times (T,) for a window without times."""
        interval = self.card.interval or PLACEHOLDER_INTERVAL
        steps = np.arange(self.card.window) * np.timedelta64(int(interval * 1e6), "us")
        return PLACEHOLDER_START + steps

    def class_of(self, label: str) -> int:
        """Index of a class.

        Raises:
            FieldError: If the class is unknown.
        """
        classes = self.card.vocabulary.classes
        require(label in classes, "label", f"{label!r} is none of {', '.join(classes)}")
        return classes.index(label)

    def _stretches(
        self, series: Sequence[Series], stride: int
    ) -> Iterator[list[tuple[int, Series]]]:
        """First steps and stretches of series, in batches of no more windows than one chunk."""
        most, windows = self._windows_per_chunk(stride), 0
        batch: list[tuple[int, Series]] = []
        for one in series:
            self.check(one)
            for first, stretch in chunks(one, self.card.window, stride, most):
                count = count_windows(len(stretch), self.card.window, stride)
                if windows + count > most:
                    yield batch
                    batch, windows = [], 0
                batch.append((first, stretch))
                windows += count
        if batch:
            yield batch

    def _windows_per_chunk(self, stride: int) -> int:
        """Windows per chunk, so that neither they nor the steps they span are too many."""
        steps = max(self.card.window, stride)
        most = max(1, NUMBERS_PER_CHUNK // (steps * self.card.scaler.outputs))
        # Whole runs: a network's results may differ in the last bit in runs of another size.
        run = self.runtime.windows_per_run
        return most - most % run if most > run else most

    def check(self, series: Series) -> None:
        """Raise a `FieldError` if a series does not fit the model."""
        self.card.require_fits(series)


def _require_stride(stride: int) -> None:
    require(stride >= 1, "stride", f"must be at least 1, got {stride}")
