"""Check whether a training can be resumed from a saved state."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from rvae.config import TrainingConfig
from rvae.errors import require
from rvae.inference.card import ModelSpec
from rvae.inference.checkpoints import read_spec

__all__ = ["require_same_training", "settings_of"]

# Options that do not affect the result.
WITHOUT_EFFECT = ("workers",)


def require_same_training(last: Path, spec: ModelSpec) -> None:
    """Raise a `FieldError` unless the state is of the same training, with any number of epochs."""
    require(last.exists(), "resume", f"there is no {last}")
    before, now = settings_of(read_spec(last)), settings_of(spec)
    epochs = torch.load(last, map_location="cpu", weights_only=True)["epoch"] + 1
    require(
        now.pop("epochs") >= epochs, "training.epochs", f"{last} has gone through {epochs} already"
    )
    for name, value in now.items():
        if name not in WITHOUT_EFFECT:
            require(before[name] == value, "resume", f"{last} is of another {name}")


def settings_of(spec: ModelSpec) -> dict[str, Any]:
    """Everything that affects the result of a training, by name."""
    content = spec.to_dict()
    del content["versions"]
    training = content.pop("training")
    # A state of an earlier version may lack an option: it then had the default value.
    options = asdict(TrainingConfig()) | training.pop("options")
    return content | training | options
