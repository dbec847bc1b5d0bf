"""A trained model as data: tensors and one JSON card, from a checkpoint, a folder or an archive.

Nothing here unpickles: a checkpoint is read with `weights_only=True`, a folder or an archive holds
`weights.safetensors` and `card.json`. torch is imported for checkpoints and networks only: a server
that runs graphs of another runtime starts without it.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import safetensors.numpy
from numpy.typing import NDArray

from rvae.errors import FieldError, require
from rvae.inference import format_4, format_5
from rvae.inference.card import Card
from rvae.inference.model_files import CARD_FILE, WEIGHTS_FILE, find_model, opened
from rvae.inference.runtimes.graphs import GRAPHS

if TYPE_CHECKING:
    from rvae.networks.vae import VAE

__all__ = ["SCORER_PREFIX", "Artifact"]

SCORER_PREFIX = "scorer."

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Artifact:
    """A card and its tensors.

    Attributes:
        card: Everything but the tensors.
        weights: Weights of the network.
        scorer: State of the scorer, by name; empty if the score has none.
        graphs: The network and what the scorer measures, as graphs of the runtime that the card
            names, by file; empty if that is torch.
    """

    card: Card
    weights: Arrays
    scorer: Arrays = field(default_factory=dict)
    graphs: Mapping[str, bytes] = field(default_factory=dict)

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
        with readable(path), opened(path) as files:
            return cls._from_checkpoint(path) if files is None else cls._from_files(files)

    @classmethod
    def _from_checkpoint(cls, path: Path) -> "Artifact":
        from rvae.inference import checkpoints

        return cls(*checkpoints.read(path))

    @classmethod
    def _from_files(cls, path: Path | zipfile.Path) -> "Artifact":
        content = json.loads((path / CARD_FILE).read_bytes())
        card = Card.from_dict(upgrade(content))
        packed = (path / WEIGHTS_FILE).read_bytes()
        checksum = content["checksum"]
        require(checksum == checksum_of(packed), "checksum", f"the weights in {path} are damaged")
        tensors = safetensors.numpy.load(packed)
        if content["format"] == 4:
            state = format_4.scorer_state(content, tensors.pop(format_4.MEMORY_KEY, None))
            return cls(card, tensors, state)
        names = [name for name in tensors if name.startswith(SCORER_PREFIX)]
        state = {name.removeprefix(SCORER_PREFIX): tensors.pop(name) for name in names}
        artifact = cls(card, tensors, state, _graphs(path, card))
        # Already computed, from the same bytes that this model would be packed into.
        object.__setattr__(artifact, "checksum", checksum)
        return artifact

    @cached_property
    def checksum(self) -> str:
        """Checksum of the packed tensors, the same for a checkpoint and the folder made of it."""
        return checksum_of(self._packed())

    def save(self, path: Path) -> None:
        """Write the folder that a server loads: the same bytes for the same model."""
        content = self.card.to_dict() | {"checksum": self.checksum}
        path.mkdir(parents=True, exist_ok=True)
        (path / WEIGHTS_FILE).write_bytes(self._packed())
        (path / CARD_FILE).write_text(json.dumps(content, indent=1))
        for name, graph in self.graphs.items():
            (path / name).write_bytes(graph)

    def save_checkpoint(self, path: Path) -> None:
        """Write a checkpoint, atomically, for torch. It lacks the state of the training.

        Raises:
            FieldError: If the calibration is that of another runtime.
        """
        from rvae.inference import checkpoints

        self.card.require_calibrated_for_torch()
        card = replace(self.card, runtime=None)
        checkpoints.write(path, card.to_dict(), self.weights, self.scorer)

    def build(self) -> "VAE":
        """The network with these weights, ready for inference.

        Raises:
            FieldError: If the weights are those of another network.
        """
        from rvae.inference.building import build_network

        return build_network(self.card, self.weights)

    def _packed(self) -> bytes:
        state = {f"{SCORER_PREFIX}{name}": tensor for name, tensor in self.scorer.items()}
        return safetensors.numpy.save(dict(self.weights) | state)


def _graphs(path: Path | zipfile.Path, card: Card) -> dict[str, bytes]:
    """Graphs of the runtime that a card names."""
    if card.runtime is None:
        return {}
    graphs = {name: (path / name).read_bytes() for name in GRAPHS}
    for name, graph in graphs.items():
        undamaged = checksum_of(graph) == card.runtime.checksums[name]
        require(undamaged, "checksum", f"{name} in {path} is damaged")
    return graphs


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Raise a `FieldError` if the file that is read is not a model."""
    try:
        yield
    except FieldError:
        raise
    except Exception as error:
        # A file that is not a checkpoint may raise anything.
        raise FieldError("checkpoint", f"{path} is not a checkpoint of rvae") from error


def upgrade(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The data of a card of any format that can be read, in the current one."""
    return format_5.upgrade(format_4.upgrade(content))


def checksum_of(content: bytes) -> str:
    """SHA-256 of a file's content, with the algorithm's name."""
    return "sha256:" + hashlib.sha256(content).hexdigest()
