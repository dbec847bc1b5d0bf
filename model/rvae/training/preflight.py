"""Checks of options, machine and data before a training."""

import torch

from rvae.config import DataConfig, ModelConfig, ScoringConfig, TrainingConfig, TrainingPlan
from rvae.data.series import Dataset
from rvae.errors import require
from rvae.networks.architectures import architecture_options
from rvae.networks.choices import require_valid_model
from rvae.scoring.scorers import SCORERS

__all__ = ["require_compatible", "require_machine", "require_units", "require_valid_choices"]


def require_valid_choices(plan: TrainingPlan) -> None:
    """Raise a `FieldError` if a combination of options is not valid for any data."""
    require_valid_model(plan.model)
    layers = architecture_options(plan.model)
    require(
        plan.training.batch_size > 1 or getattr(layers, "normalization", "none") != "batch",
        "training.batch_size",
        f'must be at least 2 with model.{plan.model.architecture}.normalization "batch"',
    )


def require_machine(training: TrainingConfig) -> None:
    """Raise a `FieldError` if the machine does not support the options."""
    gpus = torch.cuda.device_count()
    on_gpu = training.accelerator == "gpu" or (training.accelerator == "auto" and gpus > 0)
    require(
        training.accelerator != "gpu" or gpus > 0,
        "training.accelerator",
        'is "gpu", but PyTorch finds none',
    )
    require(
        not on_gpu or training.devices <= gpus,
        "training.devices",
        f"is {training.devices}, but PyTorch finds {gpus} GPU",
    )
    require(
        on_gpu or training.precision != "16-mixed",
        "training.precision",
        '"16-mixed" needs a GPU: a processor can do "bf16-mixed"',
    )


def require_compatible(dataset: Dataset, model: ModelConfig, scoring: ScoringConfig) -> None:
    """Raise a `FieldError` if the data lacks what the model or its score needs."""
    SCORERS.lookup(scoring.score).check(scoring, model)
    require(
        not model.conditional or len(dataset.vocabulary.classes) > 1,
        "model.conditional",
        "needs at least two classes: name them with reader.classes",
    )
    require(
        not model.time.calendar or dataset.series[0].times is not None,
        "model.time.calendar",
        "needs timestamps: name them with reader.time",
    )
    if model.conditional:
        for s in dataset.series:
            require(
                s.classified,
                "reader.classes",
                f"is missing for some steps of series {s.name}",
            )


def require_units(dataset: Dataset, data: DataConfig) -> None:
    """Raise a `FieldError` if a unit does not belong to a numeric channel of the data."""
    for name in data.units or {}:
        require(
            name in dataset.channels,
            "data.units",
            f"names {name!r}, but the channels are {', '.join(dataset.channels)}",
        )
        require(
            name not in dataset.vocabulary.categories,
            "data.units",
            f"names {name!r}, which holds categories",
        )
