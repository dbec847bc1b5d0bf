"""A trained model as data: weights and one JSON card, from a checkpoint or a folder.

Nothing here unpickles: a checkpoint is read with `weights_only=True`, a folder holds
`weights.safetensors` and `card.json`.
"""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor

import rvae
from rvae.bands import Bands, Residuals
from rvae.calibration import Calibration
from rvae.config import ModelConfig, ReaderConfig, ScoringConfig
from rvae.data.scaler import Scaler
from rvae.data.series import Series
from rvae.data.stored import blocks
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError, require
from rvae.vae import VAE

__all__ = [
    "CARD_FILE",
    "CARD_KEY",
    "MEMORY_KEY",
    "WEIGHTS_FILE",
    "Artifact",
    "Card",
    "versions",
]

CARD_KEY = "rvae"
FORMAT = 4
MEMORY_KEY = "rvae_memory"
CARD_FILE = "card.json"
WEIGHTS_FILE = "weights.safetensors"


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

    def network(self) -> VAE:
        """The network that the card describes, untrained."""
        return VAE(self.model, self.window, self.scaler.categories, len(self.vocabulary.classes))

    @cached_property
    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lowest and highest value of each channel (C,) that the model can be given."""
        return self.scaler.bounds(self.model.likelihood == "bernoulli")

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
            f"is {card['format']}, but rvae {rvae.__version__} reads {FORMAT}",
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


@dataclass(frozen=True)
class Artifact:
    """A card, and the numbers that go with it.

    Attributes:
        card: All but the numbers.
        weights: Of the network.
        memory: Latents of remembered training windows (M, D), where there are any.
    """

    card: Card
    weights: Mapping[str, Tensor]
    memory: Tensor | None = None

    @classmethod
    def load(cls, path: str | Path) -> "Artifact":
        """Read a Lightning checkpoint or a folder that `save` wrote.

        Raises:
            FieldError: If the path holds neither, or is damaged.
        """
        path = Path(path).expanduser()
        require(path.exists(), "checkpoint", f"no such file: {path}")
        try:
            return cls._from_folder(path) if path.is_dir() else cls._from_checkpoint(path)
        except FieldError:
            raise
        except Exception as error:
            # The ways in which a foreign file can fail to be a checkpoint are too many to list.
            raise FieldError("checkpoint", f"{path} is not a checkpoint of rvae") from error

    @classmethod
    def _from_checkpoint(cls, path: Path) -> "Artifact":
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        weights = {
            name.removeprefix("vae."): tensor for name, tensor in checkpoint["state_dict"].items()
        }
        return cls(Card.from_dict(checkpoint[CARD_KEY]), weights, checkpoint.get(MEMORY_KEY))

    @classmethod
    def _from_folder(cls, path: Path) -> "Artifact":
        content = json.loads((path / CARD_FILE).read_bytes())
        packed = (path / WEIGHTS_FILE).read_bytes()
        card = Card.from_dict(content)
        require(
            content["checksum"] == _checksum(packed),
            "checksum",
            f"the weights in {path} are damaged",
        )
        weights = safetensors.torch.load(packed)
        memory = weights.pop(MEMORY_KEY, None)
        artifact = cls(card, weights, memory)
        # It has just been taken, of the very bytes that the same model is packed into.
        object.__setattr__(artifact, "checksum", content["checksum"])
        return artifact

    @cached_property
    def checksum(self) -> str:
        """Of the packed weights: the same for a checkpoint and for the folder made of it."""
        return _checksum(self._packed())

    def save(self, path: Path) -> None:
        """Write the folder that a server loads: the same bytes for the same model."""
        content = self.card.to_dict() | {"checksum": self.checksum}
        path.mkdir(parents=True, exist_ok=True)
        (path / WEIGHTS_FILE).write_bytes(self._packed())
        (path / CARD_FILE).write_text(json.dumps(content, indent=1))

    def build(self) -> VAE:
        """The network with these weights, ready for inference.

        Raises:
            FieldError: If the weights are those of another network.
        """
        vae = self.card.network()
        try:
            vae.load_state_dict(self.weights)
        except RuntimeError as error:
            raise FieldError("checkpoint", "the weights do not fit the card") from error
        return vae.eval().requires_grad_(False)

    def _packed(self) -> bytes:
        memory = {} if self.memory is None else {MEMORY_KEY: self.memory}
        return safetensors.torch.save(dict(self.weights) | memory)


def versions() -> dict[str, str]:
    """Of the software in use."""
    return {
        "rvae": rvae.__version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _checksum(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
