"""Lightning checkpoints of models, read without unpickling."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from rvae.inference import format_4
from rvae.inference.artifact import readable, upgrade
from rvae.inference.card import ModelSpec

__all__ = ["CARD_KEY", "SCORER_KEY", "network_weights", "read", "read_spec", "spec_of", "write"]

CARD_KEY = "rvae"
SCORER_KEY = "rvae_scorer"
NETWORK_PREFIX = "vae."

Arrays = Mapping[str, NDArray[Any]]


def read(path: Path) -> tuple[Mapping[str, Any], Arrays, Arrays]:
    """The card as data, the weights of the network, and the state of the scorer."""
    checkpoint = dict(torch.load(path, map_location="cpu", weights_only=True))
    content = checkpoint[CARD_KEY]
    if content["format"] == 4:
        memory = checkpoint.get(format_4.MEMORY_KEY)
        state = format_4.scorer_state(content, None if memory is None else memory.numpy())
    else:
        state = _arrays(checkpoint[SCORER_KEY])
    return content, _arrays(network_weights(checkpoint)), state


def write(path: Path, card: Mapping[str, Any], weights: Arrays, scorer: Arrays) -> None:
    """Write a checkpoint of a card as data, of weights and of a scorer's state, atomically."""
    checkpoint = {
        "state_dict": {f"{NETWORK_PREFIX}{name}": w for name, w in _tensors(weights).items()},
        CARD_KEY: card,
        SCORER_KEY: _tensors(scorer),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        torch.save(checkpoint, unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_spec(path: Path) -> ModelSpec:
    """Read the specification in a checkpoint, also of an unfinished training run.

    Raises:
        FieldError: If the file is not a checkpoint, or damaged.
    """
    with readable(path):
        return spec_of(torch.load(path, map_location="cpu", weights_only=True))


def spec_of(checkpoint: Mapping[str, Any]) -> ModelSpec:
    """The specification in the content of a checkpoint."""
    return ModelSpec.from_dict(upgrade(checkpoint[CARD_KEY]))


def network_weights(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """The weights of the network in the content of a checkpoint."""
    return {
        name.removeprefix(NETWORK_PREFIX): tensor
        for name, tensor in checkpoint["state_dict"].items()
    }


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def _tensors(arrays: Arrays) -> dict[str, Tensor]:
    # Copies: arrays that were read from a file may not be written to.
    return {name: torch.tensor(array) for name, array in arrays.items()}
