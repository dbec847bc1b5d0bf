"""Whether a training can be resumed from the state that another one left."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from rvae.config import TrainingConfig
from rvae.errors import require
from rvae.inference.artifact import Artifact
from rvae.inference.card import Card

__all__ = ["require_same_training"]

# Options that change nothing about the result.
WITHOUT_EFFECT = ("workers",)


def require_same_training(last: Path, card: Card) -> None:
    """Raise a `FieldError` unless the state is of this training, but for its length."""
    require(last.exists(), "resume", f"there is no {last}")
    before, now = _settings(Artifact.load(last).card), _settings(card)
    epochs = torch.load(last, map_location="cpu", weights_only=True)["epoch"] + 1
    require(
        now.pop("epochs") >= epochs, "training.epochs", f"{last} has gone through {epochs} already"
    )
    for name, value in now.items():
        if name not in WITHOUT_EFFECT:
            require(before[name] == value, "resume", f"{last} is of another {name}")


def _settings(card: Card) -> dict[str, Any]:
    """Everything that decides about a training, by name."""
    content = card.to_dict()
    del content["versions"]
    training = content.pop("training")
    # A state of an earlier version may lack an option, which was then as it is by default.
    options = asdict(TrainingConfig()) | training.pop("options")
    return content | training | options
