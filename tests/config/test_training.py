"""Nonsense in a section is refused by the name of its field."""

from collections.abc import Callable
from typing import Any

import pytest

from rvae.config import ObjectiveConfig, TrainingConfig
from rvae.errors import FieldError


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("training.devices", lambda: TrainingConfig(devices=0)),
        ("training.workers", lambda: TrainingConfig(workers=-1)),
        ("training.pictures", lambda: TrainingConfig(pictures=-1)),
        ("objective.beta", lambda: ObjectiveConfig(beta=-1.0)),
        ("objective.warmup", lambda: ObjectiveConfig(warmup=1.1)),
        ("objective.free_bits", lambda: ObjectiveConfig(free_bits=-0.1)),
        ("objective.cycles", lambda: ObjectiveConfig(cycles=0)),
        ("objective.sampling_noise", lambda: ObjectiveConfig(sampling_noise=-1.0)),
        ("training.weight_decay", lambda: TrainingConfig(weight_decay=0.1)),
        ("training.weight_decay", lambda: TrainingConfig(optimizer="adamw", weight_decay=-1.0)),
        ("training.improvement", lambda: TrainingConfig(improvement=-1.0)),
        ("training.epochs", lambda: TrainingConfig(epochs=0)),
        ("training.batch_size", lambda: TrainingConfig(batch_size=0)),
        ("training.patience", lambda: TrainingConfig(patience=0)),
        ("training.learning_rate", lambda: TrainingConfig(learning_rate=0.0)),
        ("training.gradient_clip", lambda: TrainingConfig(gradient_clip=0.0)),
        ("training.seed", lambda: TrainingConfig(seed=-1)),
        ("training.seed", lambda: TrainingConfig(seed=2**32)),
        ("training.quantile", lambda: TrainingConfig(quantile=1.0)),
        ("training.nodes", lambda: TrainingConfig(nodes=0)),
    ],
)
def test_nonsense_names_its_field(field: str, make: Callable[..., Any]) -> None:
    with pytest.raises(FieldError) as caught:
        make()
    assert caught.value.field == field


def test_processes_are_those_of_all_machines() -> None:
    assert TrainingConfig(devices=3, nodes=2).processes == 6


def test_folds_are_refused_in_distributed_training() -> None:
    with pytest.raises(FieldError, match="2 processes") as caught:
        TrainingConfig(folds=5, devices=2)
    assert caught.value.field == "training.folds"
