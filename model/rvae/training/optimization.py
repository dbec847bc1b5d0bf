"""Optimizers and learning-rate schedules by name."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch.nn import Parameter
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts, LambdaLR

from rvae.config import TrainingConfig

__all__ = ["WARM_UP", "learning_rate_factor", "optimizer", "schedule"]

WARM_UP = 0.1
FIRST_RESTART = 10  # epochs


def optimizer(config: TrainingConfig, parameters: Iterable[Parameter]) -> Optimizer:
    """The optimizer that the configuration names."""
    match config.optimizer:
        case "adam":
            return torch.optim.Adam(parameters, config.learning_rate)
        case "adamw":
            return torch.optim.AdamW(
                parameters, config.learning_rate, weight_decay=config.weight_decay
            )
        case "rmsprop":
            return torch.optim.RMSprop(parameters, config.learning_rate)
        case "sgd":
            return torch.optim.SGD(parameters, config.learning_rate, momentum=0.9)


def schedule(config: TrainingConfig, made: Optimizer, steps: int) -> dict[str, Any] | None:
    """Lightning's description of the schedule; None if it does not depend on the step.

    Args:
        config: Name of the schedule.
        made: The optimizer.
        steps: Total number of training steps.
    """
    match config.schedule:
        case "constant" | "plateau":
            return None
        case "one_cycle":
            rate = LambdaLR(made, lambda step: learning_rate_factor((step + 1) / (steps + 1)))
            return {"scheduler": rate, "interval": "step"}
        case "warm_restarts":
            restarts = CosineAnnealingWarmRestarts(made, FIRST_RESTART, T_mult=2)
            return {"scheduler": restarts, "interval": "epoch"}


def learning_rate_factor(progress: float) -> float:
    """Share of the peak learning rate after `progress` (0 to 1) of training.

    It rises linearly for a tenth of the steps, then falls along half a cosine to zero (Loshchilov
    and Hutter 2017, "SGDR", eq. 5, with one cycle).
    """
    if progress < WARM_UP:
        return progress / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))
