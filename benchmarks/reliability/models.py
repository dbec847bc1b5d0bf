"""Promises of trained models on simulated series, in fewer cells than scores alone."""

from typing import Any, NamedTuple

import numpy as np

from benchmarks.reliability.series import KINDS
from benchmarks.reliability.trained_models import train_and_compare

__all__ = ["ModelTask", "measured_model", "model_task_of", "model_tasks"]

SERIES = ("iid", "AR(0.9)", "heavy-tailed (t3)", "offset of 100 steps")
CHANNELS = (1, 12)
LENGTHS = (500, 2_000)
REPEATS = 10
FRESH = 4_000
PERIOD, AMPLITUDE = 50, 2.0
OVERRIDES = {"training": {"epochs": 2}}


class ModelTask(NamedTuple):
    """A training.

    Attributes:
        kind: Name of the kind of noise.
        channels: Channels C.
        points: Points N that are known.
        seed: Seed of the series and of the training.
    """

    kind: str
    channels: int
    points: int
    seed: int


def model_tasks() -> list[ModelTask]:
    """All trainings, the short ones first."""
    return [
        ModelTask(kind, channels, points, seed)
        for points in LENGTHS
        for seed in range(REPEATS)
        for channels in CHANNELS
        for kind in SERIES
    ]


def model_task_of(record: dict[str, Any]) -> ModelTask:
    """The task of a record."""
    return ModelTask(*(record[name] for name in ModelTask._fields))


def measured_model(task: ModelTask) -> dict[str, Any]:
    """Train on a period with noise, and compare with what follows."""
    random = np.random.default_rng([task.seed, task.channels, task.points, *task.kind.encode()])
    points = task.points + FRESH
    phase = random.uniform(0, 2 * np.pi, task.channels)
    wave = AMPLITUDE * np.sin(2 * np.pi * np.arange(points)[:, None] / PERIOD + phase)
    values = wave + KINDS[task.kind](random, points, task.channels)
    known, fresh = values[: task.points], values[task.points :]
    return {**task._asdict(), **train_and_compare(known, fresh, OVERRIDES, task.seed)}
