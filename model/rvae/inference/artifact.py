"""A trained model as data: weights and one JSON card, from a checkpoint or a folder.

Nothing here unpickles: a checkpoint is read with `weights_only=True`, a folder holds
`weights.safetensors` and `card.json`.
"""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from rvae._version import __version__
from rvae.errors import FieldError, require
from rvae.inference.card import Card
from rvae.networks.vae import VAE

__all__ = [
    "CARD_FILE",
    "CARD_KEY",
    "MEMORY_KEY",
    "WEIGHTS_FILE",
    "Artifact",
    "network_of",
    "software_versions",
]

CARD_KEY = "rvae"
MEMORY_KEY = "rvae_memory"
CARD_FILE = "card.json"
WEIGHTS_FILE = "weights.safetensors"


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
        checkpoint = dict(torch.load(path, map_location="cpu", weights_only=True))
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
        vae = network_of(self.card)
        try:
            vae.load_state_dict(self.weights)
        except RuntimeError as error:
            raise FieldError("checkpoint", "the weights do not fit the card") from error
        return vae.eval().requires_grad_(False)

    def _packed(self) -> bytes:
        memory = {} if self.memory is None else {MEMORY_KEY: self.memory}
        return safetensors.torch.save(dict(self.weights) | memory)


def network_of(card: Card) -> VAE:
    """The network that a card describes, untrained."""
    return VAE(card.model, card.window, card.scaler.categories, len(card.vocabulary.classes))


def software_versions() -> dict[str, str]:
    """Of the software in use."""
    return {
        "rvae": __version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _checksum(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
