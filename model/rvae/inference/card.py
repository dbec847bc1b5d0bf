"""Everything about a model except its weights, as JSON data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rvae._version import __version__
from rvae.config import ModelConfig, ReaderConfig, ScoringConfig
from rvae.config.alarms import alarm_rate
from rvae.data.scaler import Scaler
from rvae.data.series import Series
from rvae.data.sketch import ChannelSketch
from rvae.data.stored import blocks
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError, require
from rvae.inference.history import Recalibration
from rvae.inference.runtimes.report import RuntimeReport
from rvae.scoring.bands import Bands, Residuals
from rvae.scoring.blocks import Blocks
from rvae.scoring.calibration import Calibration

__all__ = ["FORMAT", "Card", "ModelSpec", "calibration_content"]

FORMAT = 6


@dataclass(frozen=True)
class ModelSpec:
    """Everything about a model that is fixed before training, and a summary of its training.

    Attributes:
        model: The network.
        channels: Names of the channels.
        units: Units by name of the channel, if it has one.
        vocabulary: Categories of channels, and classes.
        window: Time steps T of a window.
        stride: Steps between windows of a longer series, unless a request asks for another.
        reader: Configuration of the reader of the training file, also used for other files.
        scaler: Scaler, fitted to the training part.
        interval: Median seconds between steps; None without times.
        training: Summary of the training: counts and options; after training also the selected
            epoch and its results.
        scoring: Configuration of the score.
        versions: Versions of the software that trained the model.
    """

    model: ModelConfig
    channels: tuple[str, ...]
    units: Mapping[str, str]
    vocabulary: Vocabulary
    window: int
    stride: int
    reader: ReaderConfig
    scaler: Scaler
    interval: float | None
    training: Mapping[str, Any]
    scoring: ScoringConfig
    versions: Mapping[str, str]

    @property
    def conditional(self) -> bool:
        """Whether a series must have a class."""
        return self.model.conditional

    def require_in_bounds(self, series: Series) -> None:
        """Raise a `FieldError` if a value of a series is out of the scaler's bounds."""
        low, high = self.scaler.bounds
        passed = 0
        for block in blocks(series.values):
            beyond = (block < low) | (block > high)
            if beyond.any():
                step, i = np.argwhere(beyond)[0]
                raise FieldError(
                    self.channels[i],
                    f"is {block[step, i]:g} at step {passed + step} of series {series.name}, but "
                    f"the model takes values from {low[i]:.4g} to {high[i]:.4g}",
                )
            passed += len(block)

    def require_fits(self, series: Series) -> None:
        """Raise a `FieldError` if a series does not fit the model."""
        shape = series.values.shape
        require(
            len(shape) == 2 and shape[1] == len(self.channels),
            "series",
            f"expected (N, {len(self.channels)}), got {shape}",
        )
        require(
            len(series) >= self.window,
            "series",
            f"has {len(series)} points, the model needs {self.window}",
        )
        self.require_in_bounds(series)
        if self.model.time.calendar:
            next(series.pieces()).clock()
        if self.model.conditional:
            require(
                series.classified,
                "label",
                "is missing or unknown, but this model is conditional, with the classes "
                + ", ".join(self.vocabulary.classes),
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dictionaries."""
        return {
            "format": FORMAT,
            "model": asdict(self.model),
            "channels": list(self.channels),
            "units": dict(self.units),
            "categories": {name: list(words) for name, words in self.vocabulary.categories.items()},
            "classes": list(self.vocabulary.classes),
            "window": self.window,
            "stride": self.stride,
            "reader": asdict(self.reader),
            "scaler": asdict(self.scaler),
            "interval": self.interval,
            "training": dict(self.training),
            "scoring": asdict(self.scoring),
            "versions": dict(self.versions),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Undo `to_dict`, also after a round trip through JSON.

        Raises:
            FieldError: If the content has another format, or lacks a field.
        """
        require(
            content["format"] == FORMAT,
            "format",
            f"is {content['format']}, but rvae {__version__} reads 4, 5 and {FORMAT}",
        )
        return cls(**cls._fields_of(content))

    @classmethod
    def _fields_of(cls, content: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "model": ModelConfig.from_dict(content["model"]),
            "channels": tuple(content["channels"]),
            "units": content["units"],
            "vocabulary": Vocabulary(
                {name: tuple(words) for name, words in content["categories"].items()},
                tuple(content["classes"]),
            ),
            "window": content["window"],
            "stride": content["stride"],
            # Cards from before this option come from training over holes.
            "reader": ReaderConfig(**{"holes": "keep"} | content["reader"]),
            "scaler": _scaler(content["scaler"]),
            "interval": content["interval"],
            "training": content["training"],
            "scoring": ScoringConfig(**content["scoring"]),
            "versions": content["versions"],
        }


@dataclass(frozen=True)
class Card(ModelSpec):
    """Everything about a trained model except its weights and the state of its scorer.

    Attributes:
        calibration: Calibration of the scores.
        bands: Bounds of normal values around reconstructions.
        history: Changes of the calibration since the training, in order.
        runtime: The runtime of the model's graphs, and how exact it is; None if it has none, and
            torch runs the network.
        sketch: Of the training part, how the values of each channel are distributed; empty for
            models of earlier versions.
    """

    calibration: Calibration
    bands: Bands
    history: tuple[Recalibration, ...] = ()
    runtime: RuntimeReport | None = None
    sketch: tuple[ChannelSketch, ...] = ()

    @classmethod
    def finish(
        cls,
        spec: ModelSpec,
        calibration: Calibration,
        bands: Bands,
        training: Mapping[str, Any],
        sketch: tuple[ChannelSketch, ...] = (),
    ) -> "Card":
        """The card of a model after training, with the final summary of the training."""
        kept = {field.name: getattr(spec, field.name) for field in fields(ModelSpec)}
        changed = {"training": training, "calibration": calibration, "bands": bands}
        return cls(**kept | changed, sketch=sketch)

    def require_calibrated_for_torch(self) -> None:
        """Raise a `FieldError` if the calibration is that of a runtime in reduced precision."""
        require(
            self.runtime is None or not self.runtime.parity.recalibrated,
            "runtime",
            "the archive has the calibration of its own runtime: use its checkpoint instead",
        )

    def quantile_of(self, quantile: float | None, alarms: str | None) -> float | None:
        """The quantile that is asked for, as such or by a rate of alarms; None for the model's own.

        Args:
            quantile: Quantile of normal scores.
            alarms: Rate of false events, such as "1 per week".

        Raises:
            FieldError: If both are given, or the rate is no rate, per time where the training data
                has no times, or lower than the calibration can show.
        """
        if alarms is None:
            return quantile
        require(quantile is None, "alarms", "cannot be combined with quantile")
        rate = alarm_rate(alarms, self.interval, self.calibration.blocks.steps, "alarms")
        threshold = self.calibration.threshold_of_events(rate, self.interval)
        return self.calibration.quantile_of(threshold)

    def band_quantile(self, quantile: float | None = None) -> float:
        """The quantile, the calibration's if left out, as far as the bands have it.

        A quantile of thresholds must not be an error where it is above the range of the bands.
        """
        return min(quantile or self.calibration.quantile, self.bands.largest_quantile)

    def band(
        self, expected: NDArray[np.float64], quantile: float | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """Expected values of points (N, C), and bounds within which normal values lie, as columns.

        Args:
            expected: Reconstruction of the points, in the data's units.
            quantile: Share of normal values within the bounds; the calibration's if left out, or
                the highest that the bands have.

        Raises:
            FieldError: If the quantile is above the range of the bands.
        """
        share = quantile or self.band_quantile()
        lower, upper = self.bands.around(expected, self.scaler, share)
        return {"expected": expected, "lower": lower, "upper": upper}

    def to_dict(self) -> dict[str, Any]:
        calibration = calibration_content(self.calibration)
        return super().to_dict() | {
            "calibration": calibration,
            "bands": asdict(self.bands),
            "history": [asdict(change) for change in self.history],
            "runtime": None if self.runtime is None else asdict(self.runtime),
            "sketch": [
                {"edges": list(one.edges), "shares": list(one.shares)} for one in self.sketch
            ],
        }

    @classmethod
    def _fields_of(cls, content: Mapping[str, Any]) -> dict[str, Any]:
        calibration, bands = content.get("calibration"), content.get("bands")
        runtime = content.get("runtime")
        if calibration is None or bands is None:
            raise FieldError(
                "checkpoint", "comes from an unfinished training run, which is not calibrated yet"
            )
        return super()._fields_of(content) | {
            "calibration": Calibration(
                Blocks(
                    np.array(calibration["scores"]),
                    np.array(calibration["segments"]),
                    np.array(calibration["blocks"]),
                    calibration["segment_steps"],
                ),
                calibration["quantile"],
                calibration["lowered"],
                calibration["contamination"],
            ),
            "bands": Bands(
                tuple(
                    Residuals(
                        channel["count"],
                        channel["blocks"],
                        tuple(channel["below"]),
                        tuple(channel["above"]),
                    )
                    for channel in bands["channels"]
                )
            ),
            "history": tuple(Recalibration(**change) for change in content.get("history", ())),
            "runtime": None if runtime is None else RuntimeReport.from_dict(runtime),
            "sketch": tuple(
                ChannelSketch(tuple(one["edges"]), tuple(one["shares"]))
                for one in content.get("sketch", ())
            ),
        }


def calibration_content(calibration: Calibration) -> dict[str, Any]:
    """A calibration as plain numbers and lists."""
    blocks = calibration.blocks
    return {
        "quantile": calibration.quantile,
        "lowered": calibration.lowered,
        "contamination": calibration.contamination,
        "scores": blocks.scores.tolist(),
        "segments": blocks.segments.tolist(),
        "blocks": blocks.blocks.tolist(),
        "segment_steps": blocks.steps,
    }


def _scaler(content: Mapping[str, Any]) -> Scaler:
    arrays = {name: tuple(content[name]) for name in ("mean", "scale", "categories")}
    return Scaler(**arrays, unit_interval=content["unit_interval"])
