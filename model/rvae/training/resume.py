"""Whether a training may go on where another ended."""

from pathlib import Path
from typing import Any

import torch

from rvae.errors import require
from rvae.inference.artifact import read_spec
from rvae.inference.card import ModelSpec

__all__ = ["require_same_training"]

WITHOUT_CONSEQUENCES = ("workers",)


def require_same_training(last: Path, card: ModelSpec) -> None:
    """Raise a `FieldError` unless the state of training is of this training, but for its length."""
    require(last.exists(), "resume", f"there is no {last}")
    before, now = _settings(read_spec(last)), _settings(card)
    epochs = torch.load(last, map_location="cpu", weights_only=True)["epoch"] + 1
    require(
        now.pop("epochs") >= epochs, "training.epochs", f"{last} has gone through {epochs} already"
    )
    for name, value in now.items():
        if name not in WITHOUT_CONSEQUENCES:
            require(before[name] == value, "resume", f"{last} is of another {name}")


def _settings(card: ModelSpec) -> dict[str, Any]:
    """All that a training was told, by name."""
    content = card.to_dict()
    del content["versions"]
    training = content.pop("training")
    options = training.pop("options")
    return content | training | options
