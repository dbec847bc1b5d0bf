"""A trained model for frames, files and arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvae.data.judged_events import read_judged_events
from rvae.data.series import Dataset
from rvae.estimators.arguments import checked
from rvae.evaluation.report import Report, evaluate
from rvae.inference import export
from rvae.inference.artifact import Artifact
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from rvae.inference.reading import read_for
from rvae.inference.recalibration import Request, name_of, recalibrate
from rvae.inference.results import results_by_row, results_like
from rvae.scoring.promise import promise_text
from rvae.scoring.ranks import quantile_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Model"]

SHOWN_CHANNELS = 6


@dataclass(frozen=True, repr=False)
class Model:
    """A trained model, as `rvae.fit` and `rvae.load` return it.

    Data is a frame of pandas, polars or Arrow, the path of a file, or an array (N,), (N, C) or
    (S, N, C). Columns are matched by name, in any order. Results are frames of the same library;
    for a path or an array they are tables of Arrow.

    Scores are high where the data is anomalous, as over HTTP.

    Attributes:
        artifact: The model as data.
        device: Torch's name of the device on which it runs.
    """

    artifact: Artifact
    device: str = "cpu"

    @classmethod
    def load(cls, path: str | Path, device: str = "cpu") -> Self:
        """Load a checkpoint.

        Raises:
            FieldError: If the path holds no model.
        """
        return cls(Artifact.load(path), device)

    @property
    def card(self) -> Card:
        """Everything about the model except its weights."""
        return self.artifact.card

    @cached_property
    def engine(self) -> Engine:
        """The model at work, for series as arrays."""
        return Engine(self.artifact, self.device)

    def save(self, path: str | Path) -> Path:
        """Write the model as a checkpoint, which every command of `rvae` takes."""
        path = Path(path).expanduser()
        self.artifact.save_checkpoint(path)
        return path

    def archive(
        self,
        store: str | Path = "model_store",
        name: str = "rvae",
        version: str = "1.0",
        runtime: str = "auto",
        data: Any = None,
        force: bool = False,
    ) -> Path:
        """Package the model for TorchServe as STORE/NAME-VERSION.mar.

        Args:
            store: Folder for the archive.
            name: Name of the model in URLs.
            version: Version of the model in URLs.
            runtime: What runs the network on a CPU, as for `rvae archive`.
            data: Normal data by which a runtime is compared with torch, see the class; windows that
                the model draws if left out.
            force: Whether it may take the place of another archive of this name and version.

        Raises:
            FieldError: If there is such an archive, name or version are not valid in URLs, or the
                runtime is not possible.
        """
        from rvae.inference.conversion import with_runtime
        from rvae.serving.packaging import build_archive

        series = None if data is None else self._read(data).series
        artifact, _ = with_runtime(self.artifact, runtime, series, name_of(data))
        return build_archive(artifact, name, version, Path(store).expanduser(), force=force)

    @checked
    def score(
        self,
        data: Any,
        by: Literal["point", "window"] = "point",
        stride: int | None = None,
        quantile: float | None = None,
        adapt: float | None = None,
        alarms: str | None = None,
    ) -> Any:
        """Score data.

        Args:
            data: See the class.
            by: "point": a row per row of the data, with the same index. "window": a row per window.
            stride: Steps between windows; the model's own if left out.
            quantile: Quantile of normal scores that is the threshold; the model's own if left out.
            adapt: Rate from 0 to 0.1 at which the threshold follows each series.
            alarms: At most so many false events, "1 per week" or "1 per 10000 steps", in place of
                the quantile.

        Raises:
            FieldError: If the data does not fit the model, or an option is not valid.
        """
        quantile = self.card.quantile_of(quantile, alarms)
        series = self._read(data).series
        if by == "window":
            rows = export.window_records(self.engine, series, stride, adapt, quantile)
            return results_like(rows, series, data, self.card.reader)
        rows = export.point_records(self.engine, series, stride, adapt, quantile)
        return results_by_row(rows, series, data, self.card.reader)

    @checked
    def events(
        self,
        data: Any,
        stride: int | None = None,
        quantile: float | None = None,
        adapt: float | None = None,
        gap: int | None = None,
        alarms: str | None = None,
    ) -> Any:
        """Anomalous stretches of data, a row per event.

        Args:
            data: See the class.
            stride: Steps between windows; the model's own if left out.
            quantile: Quantile of normal scores that is the threshold; the model's own if left out.
            adapt: Rate from 0 to 0.1 at which the threshold follows each series.
            gap: Maximum steps between windows of one event; the stride if left out.
            alarms: At most so many false events, "1 per week" or "1 per 10000 steps", in place of
                the quantile.

        Raises:
            FieldError: If the data does not fit the model, or an option is not valid.
        """
        quantile = self.card.quantile_of(quantile, alarms)
        series = self._read(data).series
        rows = export.event_records(self.engine, series, stride, adapt, gap, quantile)
        return results_like(rows, series, data, self.card.reader)

    @checked
    def encode(self, data: Any, stride: int | None = None) -> Any:
        """Latents of data, a row per window with the columns `latent_0` and so on.

        Args:
            data: See the class.
            stride: Steps between windows; the model's own if left out.

        Raises:
            FieldError: If the data does not fit the model.
        """
        series = self._read(data).series
        rows = export.latent_records(self.engine, series, stride)
        return results_like(rows, series, data, self.card.reader)

    @checked
    def reconstruct(self, data: Any, stride: int | None = None) -> Any:
        """Reconstruction of data, a row per row of the data with a column per channel.

        Args:
            data: See the class.
            stride: Steps between windows; the model's own if left out.

        Raises:
            FieldError: If the data does not fit the model.
        """
        series = self._read(data).series
        rows = export.reconstruction_records(self.engine, series, stride)
        return results_by_row(rows, series, data, self.card.reader)

    def decode(
        self, latent: NDArray[np.floating] | Sequence[Sequence[float]], label: str | None = None
    ) -> NDArray[np.float64]:
        """Windows (S, T, C) of latents (S, D), in the data's units.

        Args:
            latent: The latents.
            label: Class of the windows, if the model is conditional.

        Raises:
            FieldError: If the latents have another shape, or the class is missing or unknown.
        """
        return self.engine.decode(np.asarray(latent, dtype=np.float32), label)

    @checked
    def sample(
        self, count: int = 1, label: str | None = None, seed: int = 0
    ) -> NDArray[np.float64]:
        """Windows (S, T, C) drawn from the model, in the data's units.

        Args:
            count: Number of windows S.
            label: Class of the windows, if the model is conditional.
            seed: Seed of the latents.

        Raises:
            FieldError: If the class is missing or unknown.
        """
        return self.engine.sample(count, label, seed)

    @checked
    def interpolate(
        self,
        a: ArrayLike,
        b: ArrayLike,
        steps: int = 9,
        path: Literal["line", "sphere"] = "line",
        label: str | None = None,
    ) -> NDArray[np.float64]:
        """Windows (S, T, C) on the way from one latent (D,) to another, in the data's units.

        Args:
            a: The first latent.
            b: The last latent.
            steps: Number of windows S, both ends included.
            path: Straight, or on the sphere around the origin, where most of the prior lies.
            label: Class of the windows, if the model is conditional.

        Raises:
            FieldError: If an option is not valid, or a latent does not fit the model.
        """
        return self.engine.interpolate(a, b, steps, path, label)

    @checked
    def evaluate(self, data: Any, label: str | None = None, stride: int | None = None) -> Report:
        """How well the model performs on data: detection if there are labels, else its scores.

        Args:
            data: See the class.
            label: Column of the labels, if its name differs from the training data.
            stride: Steps between windows; the model's own if left out.

        Raises:
            FieldError: If the data does not fit the model.
        """
        series = read_for(self.card, data, label, None, None, labels=True).series
        return evaluate(self.engine, series, stride)

    @checked
    def recalibrate(
        self,
        data: Any,
        events: Any = None,
        label: str | None = None,
        quantile: float | None = None,
        alarms: str | None = None,
        replace: bool = False,
    ) -> Self:
        """The same model with another threshold, by new normal data; nothing is trained.

        Everything that depends on the threshold moves with it: tail probabilities, severities and
        bands. This model stays as it is.

        Args:
            data: See the class. All of it is taken as normal, except what is labelled, and events
                that are no false alarms.
            events: What `events` returned for this data, or the path of what `rvae score --events`
                wrote, with a column "verdict": "false alarm", "confirmed", or nothing.
            label: Column of the labels, if its name differs from the training data.
            quantile: Quantile of normal scores that is the threshold; what was asked for at last if
                left out.
            alarms: Rate of events instead, as "1 per week" or "1 per 10000 steps".
            replace: Whether the new scores take the place of the old ones, because the data has
                changed for good, instead of being added.

        Raises:
            FieldError: If the data or the events do not fit the model, or more is asked for than
                the data can show.
        """
        dataset = read_for(self.card, data, label, None, None, labels=True)
        judged = None
        if events is not None:
            judged = read_judged_events(events, dataset.series, self.card.reader.series)
        found = recalibrate(
            self.engine,
            self.artifact,
            dataset.series,
            judged,
            Request(quantile, alarms),
            replace,
            name_of(data),
        )
        return type(self)(found.artifact, self.device)

    @checked
    def plot(
        self,
        data: Any,
        channels: Sequence[str] | None = None,
        series: str | None = None,
        start: str | int | None = None,
        end: str | int | None = None,
        stride: int | None = None,
        quantile: float | None = None,
        adapt: float | None = None,
        gap: int | None = None,
        axes: "Sequence[Axes] | None" = None,
        alarms: str | None = None,
    ) -> "list[Axes]":
        """Draw a series with its reconstruction, band, score, threshold and events.

        Args:
            data: See the class.
            channels: Names of the channels; if left out all, or of many those that lead in events.
            series: Name of the series, if the data has several; the first one if left out.
            start: First step, or time, that is drawn.
            end: Step, or time, before which the picture ends.
            stride: Steps between windows; the model's own if left out.
            quantile: Quantile of normal scores for threshold and band; the model's own if left out.
            adapt: Rate from 0 to 0.1 at which the threshold follows the series.
            gap: Maximum steps between windows of one event; the stride if left out.
            axes: One for each channel and one for the score; those of a new figure if left out.
            alarms: At most so many false events, "1 per week" or "1 per 10000 steps", in place of
                the quantile of the threshold.

        Returns:
            The axes, from top to bottom.

        Raises:
            FieldError: If the data does not fit the model, or an option is not valid.
        """
        from rvae.estimators.pictures import show
        from rvae.plots.pieces import find_pieces, score_pieces
        from rvae.plots.series import plot_scored_series

        pieces = find_pieces(self._read(data).series, series)
        scored = score_pieces(self.engine, pieces, stride, quantile, adapt, gap, alarms)
        borders = (None if border is None else str(border) for border in (start, end))
        drawn = plot_scored_series(scored.part(*borders), channels, axes)
        if axes is None:
            show(drawn[0])
        return drawn

    @checked
    def plot_latent(
        self,
        data: Any,
        colour: Literal["class", "label", "score"] | None = None,
        method: Literal["direct", "pca", "tsne", "umap"] | None = None,
        stride: int | None = None,
        seed: int = 0,
        axes: "Axes | None" = None,
    ) -> "Axes":
        """Draw the latent of every window as a point.

        Args:
            data: See the class.
            colour: What colours a point; class if the training data had classes, else score, if
                left out.
            method: How latents become points; direct for two dimensions, else pca, if left out.
            stride: Steps between windows; the model's own if left out.
            seed: Seed of t-SNE and UMAP.
            axes: Those of a new figure if left out.

        Raises:
            FieldError: If the data does not fit the model, or has nothing to colour by.
        """
        from rvae.estimators.pictures import show
        from rvae.plots.data_latent import default_colour, plot_data_latent, read_for_colour

        chosen = colour or default_colour(self.card)
        dataset = read_for_colour(self.card, data, chosen)
        drawn, _ = plot_data_latent(self.engine, dataset, chosen, method, stride, seed, axes)
        if axes is None:
            show(drawn)
        return drawn

    @checked
    def plot_grid(
        self,
        dimensions: Sequence[int] | None = None,
        size: int = 9,
        extent: float = 2.0,
        label: str | None = None,
        axes: "Axes | None" = None,
    ) -> "Axes":
        """Draw what the model decodes on a plane of its latent space.

        Args:
            dimensions: One or two latent dimensions; those that say most about a window if left
                out.
            size: Windows in a row and in a column.
            extent: Standard deviations of the prior from the centre to each side.
            label: Class of the windows, if the model is conditional.
            axes: Those of a new figure if left out.

        Raises:
            FieldError: If an option is not valid.
        """
        from rvae.estimators.pictures import show
        from rvae.plots.generation import plot_latent_grid

        drawn = plot_latent_grid(
            self.engine, dimensions, size=size, extent=extent, label=label, axes=axes
        )
        if axes is None:
            show(drawn)
        return drawn

    def _read(self, data: Any) -> Dataset:
        return read_for(self.card, data, None, None, None, labels=False)

    def __repr__(self) -> str:
        facts = ", ".join(f"{name} {value}" for name, value in self._facts())
        return f"<rvae.Model: {facts}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
            for name, value in self._facts()
        )
        return f"<table><caption>rvae.Model</caption>{rows}</table>"

    def _facts(self) -> list[tuple[str, str]]:
        card = self.card
        names = [
            f"{name} [{card.units[name]}]" if name in card.units else name for name in card.channels
        ]
        shown = ", ".join(names[:SHOWN_CHANNELS]) + (", …" if len(names) > SHOWN_CHANNELS else "")
        quantile = quantile_text(card.calibration.quantile)
        few = ", lowered: too few windows" if card.calibration.lowered else ""
        return [
            ("architecture", card.model.architecture),
            ("channels", f"{len(names)} ({shown})"),
            ("window", f"{card.window} steps"),
            ("latent", f"{card.model.latent}"),
            ("score", card.scoring.score),
            ("threshold", f"{card.calibration.threshold():.4g} (quantile {quantile}{few})"),
            ("promise", promise_text(card.calibration, card.interval)),
        ]
