"""A trained model as data: tensors and one JSON card, from a checkpoint, a folder or an archive.

Nothing here unpickles: a checkpoint is read with `weights_only=True`, a folder or an archive holds
`weights.safetensors` and `card.json`.
"""

import hashlib
import json
import platform
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from rvae._version import __version__
from rvae.errors import FieldError, require
from rvae.inference import format_4, format_5
from rvae.inference.card import Card, ModelSpec
from rvae.inference.model_files import CARD_FILE, WEIGHTS_FILE, find_model, opened
from rvae.networks.vae import VAE
from rvae.scoring.scorer import Scorer
from rvae.scoring.scorers import restore_scorer

__all__ = [
    "CARD_KEY",
    "SCORER_KEY",
    "Artifact",
    "build_network",
    "network_of",
    "network_weights",
    "read_spec",
    "software_versions",
    "spec_of",
]

CARD_KEY = "rvae"
SCORER_KEY = "rvae_scorer"
SCORER_PREFIX = "scorer."
NETWORK_PREFIX = "vae."


@dataclass(frozen=True)
class Artifact:
    """A card and its tensors.

    Attributes:
        card: Everything but the tensors.
        weights: Weights of the network.
        scorer: State of the scorer, by name; empty if the score has none.
    """

    card: Card
    weights: Mapping[str, Tensor]
    scorer: Mapping[str, Tensor] = field(default_factory=dict)

    @classmethod
    def load(cls, path: str | Path) -> "Artifact":
        """Read a Lightning checkpoint, a folder that `save` wrote, or an archive of TorchServe.

        Args:
            path: One of these, or a folder with one of them, as `rvae fit` writes.

        Raises:
            FieldError: If the path holds none of them or several, is damaged, or comes from an
                unfinished training run.
        """
        path = find_model(Path(path))
        with _readable(path), opened(path) as files:
            return cls._from_checkpoint(path) if files is None else cls._from_files(files)

    @classmethod
    def _from_checkpoint(cls, path: Path) -> "Artifact":
        checkpoint = dict(torch.load(path, map_location="cpu", weights_only=True))
        content = checkpoint[CARD_KEY]
        card = Card.from_dict(_upgrade(content))
        if content["format"] == 4:
            state = format_4.scorer_state(content, checkpoint.get(format_4.MEMORY_KEY))
        else:
            state = checkpoint[SCORER_KEY]
        return cls(card, network_weights(checkpoint), state)

    @classmethod
    def _from_files(cls, path: Path | zipfile.Path) -> "Artifact":
        content = json.loads((path / CARD_FILE).read_bytes())
        card = Card.from_dict(_upgrade(content))
        packed = (path / WEIGHTS_FILE).read_bytes()
        checksum = content["checksum"]
        require(checksum == _checksum(packed), "checksum", f"the weights in {path} are damaged")
        tensors = safetensors.torch.load(packed)
        if content["format"] == 4:
            state = format_4.scorer_state(content, tensors.pop(format_4.MEMORY_KEY, None))
            return cls(card, tensors, state)
        names = [name for name in tensors if name.startswith(SCORER_PREFIX)]
        state = {name.removeprefix(SCORER_PREFIX): tensors.pop(name) for name in names}
        artifact = cls(card, tensors, state)
        # Already computed, from the same bytes that this model would be packed into.
        object.__setattr__(artifact, "checksum", checksum)
        return artifact

    @cached_property
    def checksum(self) -> str:
        """Checksum of the packed tensors, the same for a checkpoint and the folder made of it."""
        return _checksum(self._packed())

    def save(self, path: Path) -> None:
        """Write the folder that a server loads: the same bytes for the same model."""
        content = self.card.to_dict() | {"checksum": self.checksum}
        path.mkdir(parents=True, exist_ok=True)
        (path / WEIGHTS_FILE).write_bytes(self._packed())
        (path / CARD_FILE).write_text(json.dumps(content, indent=1))

    def save_checkpoint(self, path: Path) -> None:
        """Write a checkpoint, atomically. It lacks the state of the training, which ended."""
        checkpoint = {
            "state_dict": {f"{NETWORK_PREFIX}{name}": w for name, w in self.weights.items()},
            CARD_KEY: self.card.to_dict(),
            SCORER_KEY: dict(self.scorer),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.unfinished")
        try:
            torch.save(checkpoint, unfinished)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    def build(self) -> VAE:
        """The network with these weights, ready for inference.

        Raises:
            FieldError: If the weights are those of another network.
        """
        return build_network(self.card, self.weights)

    @torch.inference_mode()
    def build_scorer(self, network: VAE, device: torch.device) -> Scorer:
        """The scorer of the built network, on the same device.

        Raises:
            FieldError: If the state is that of another scorer.
        """
        state = {name: tensor.to(device) for name, tensor in self.scorer.items()}
        return restore_scorer(network, self.card.scaler, self.card.scoring, state)

    def _packed(self) -> bytes:
        state = {f"{SCORER_PREFIX}{name}": tensor for name, tensor in self.scorer.items()}
        return safetensors.torch.save(dict(self.weights) | state)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Raise a `FieldError` if the file that is read is not a model."""
    try:
        yield
    except FieldError:
        raise
    except Exception as error:
        # A file that is not a checkpoint may raise anything.
        raise FieldError("checkpoint", f"{path} is not a checkpoint of rvae") from error


def read_spec(path: Path) -> ModelSpec:
    """Read the specification in a checkpoint, also of an unfinished training run.

    Raises:
        FieldError: If the file is not a checkpoint, or damaged.
    """
    with _readable(path):
        return spec_of(torch.load(path, map_location="cpu", weights_only=True))


def _upgrade(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The data of a card of any format that can be read, in the current one."""
    return format_5.upgrade(format_4.upgrade(content))


def spec_of(checkpoint: Mapping[str, Any]) -> ModelSpec:
    """The specification in the content of a checkpoint."""
    return ModelSpec.from_dict(_upgrade(checkpoint[CARD_KEY]))


def network_weights(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """The weights of the network in the content of a checkpoint."""
    return {
        name.removeprefix(NETWORK_PREFIX): tensor
        for name, tensor in checkpoint["state_dict"].items()
    }


def build_network(spec: ModelSpec, weights: Mapping[str, Tensor]) -> VAE:
    """The network of a specification with these weights, ready for inference.

    Raises:
        FieldError: If the weights are those of another network.
    """
    # The weights that it begins with are drawn, and the caller's random numbers are not for that.
    with torch.random.fork_rng(devices=()):
        network = network_of(spec)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise FieldError("checkpoint", "the weights do not fit the card") from error
    return network.eval().requires_grad_(False)


def network_of(spec: ModelSpec) -> VAE:
    """The untrained network of a specification."""
    return VAE(spec.model, spec.window, spec.scaler.categories, len(spec.vocabulary.classes))


def software_versions() -> dict[str, str]:
    """Versions of the software in use."""
    return {
        "rvae": __version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _checksum(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
