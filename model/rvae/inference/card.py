"""Everything about a trained model but its weights, as data that JSON can hold."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae._version import __version__
from rvae.config import ModelConfig, ReaderConfig, ScoringConfig
from rvae.data.scaler import Scaler
from rvae.data.series import Series
from rvae.data.stored import blocks
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError, require
from rvae.scoring.bands import Bands, Residuals
from rvae.scoring.calibration import Calibration

__all__ = ["Card"]

FORMAT = 4


@dataclass(frozen=True)
class Card:
    """Everything about a trained model but its weights.

    Attributes:
        model: The network.
        channels: Names of the channels.
        units: Units of channels, by name, of those that have one.
        vocabulary: Categories of channels, and classes.
        window: Time steps T of a window.
        stride: Steps between windows of a longer series, unless a request asks for another.
        reader: How the training file was read; other files are read alike.
        scaler: Fitted on the training part.
        interval: Median of the seconds between steps; None where there are no times.
        training: Sketch of the training: counts, options, the epoch kept and what it reaches.
        scoring: What a score is.
        levels: What each part of a window's errors is in the training data, where the score is
            their excess; None before the end of training.
        calibration: None in a checkpoint whose training did not come to its end.
        bands: What is normal around reconstructions; None where there is no calibration.
        versions: Of the software that trained it.
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
    levels: tuple[float, ...] | None
    calibration: Calibration | None
    bands: Bands | None
    versions: Mapping[str, str]

    def require_calibration(self) -> Calibration:
        """The calibration.

        Raises:
            FieldError: If there is none.
        """
        if self.calibration is None:
            raise FieldError("checkpoint", "is of a training that did not come to its end")
        return self.calibration

    def require_bands(self) -> Bands:
        """What is normal around reconstructions.

        Raises:
            FieldError: If nobody knows yet.
        """
        if self.bands is None:
            raise FieldError("checkpoint", "is of a training that did not come to its end")
        return self.bands

    @cached_property
    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lowest and highest value of each channel (C,) that the model can be given."""
        # Imports torch, which a card alone does not need.
        from rvae.networks.choices import takes_unit_interval

        return self.scaler.bounds(takes_unit_interval(self.model))

    def require_in_bounds(self, series: Series) -> None:
        """Raise a `FieldError` where a value of a series is out of them."""
        low, high = self.bounds
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

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dictionaries."""
        calibration = self.calibration and {
            "quantile": self.calibration.quantile,
            "scores": self.calibration.scores.tolist(),
            "independent": self.calibration.independent,
            "contamination": self.calibration.contamination,
        }
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
            "levels": self.levels and list(self.levels),
            "calibration": calibration,
            "bands": self.bands and asdict(self.bands),
            "versions": dict(self.versions),
        }

    @classmethod
    def from_dict(cls, card: Mapping[str, Any]) -> "Card":
        """Undo `to_dict`, whether or not JSON came between.

        Raises:
            FieldError: If the card is of another format.
        """
        require(
            card["format"] == FORMAT,
            "format",
            f"is {card['format']}, but rvae {__version__} reads {FORMAT}",
        )
        calibration, bands = card["calibration"], card["bands"]
        return cls(
            model=ModelConfig.from_dict(card["model"]),
            channels=tuple(card["channels"]),
            units=card["units"],
            vocabulary=Vocabulary(
                {name: tuple(words) for name, words in card["categories"].items()},
                tuple(card["classes"]),
            ),
            window=card["window"],
            stride=card["stride"],
            reader=ReaderConfig(**card["reader"]),
            scaler=Scaler(**{name: tuple(value) for name, value in card["scaler"].items()}),
            interval=card["interval"],
            training=card["training"],
            scoring=ScoringConfig(**card["scoring"]),
            levels=card["levels"] and tuple(card["levels"]),
            calibration=calibration
            and Calibration(
                np.array(calibration["scores"]),
                calibration["quantile"],
                calibration["independent"],
                calibration["contamination"],
            ),
            bands=bands
            and Bands(
                tuple(
                    Residuals(
                        channel["count"],
                        channel["independent"],
                        tuple(channel["below"]),
                        tuple(channel["above"]),
                    )
                    for channel in bands["channels"]
                ),
                bands["unit_interval"],
            ),
            versions=card["versions"],
        )
