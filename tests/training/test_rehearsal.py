"""A training up to its first step."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rvae.config import DataConfig, ReaderConfig, TrainingConfig, TrainingPlan
from rvae.data.series import Dataset, Series
from rvae.training.prepare import prepare
from rvae.training.rehearsal import rehearse


def dataset(*columns: np.ndarray) -> Dataset:
    names = tuple(f"c{i}" for i in range(len(columns)))
    return Dataset([Series(np.stack(columns, axis=1), "m")], names, ReaderConfig())


def plan(**data: Any) -> TrainingPlan:
    config = replace(DataConfig(""), **data)
    return TrainingPlan(config, training=TrainingConfig(accelerator="cpu"))


def wave(steps: int) -> np.ndarray:
    return np.sin(np.arange(steps) / 5)


def test_a_plan_that_works_is_not_changed() -> None:
    start = plan(window=20)
    found = rehearse(dataset(wave(3000)), start)
    assert (found.plan, found.obstacle) == (start, None)
    assert found.preparation is not None
    expected = prepare(dataset(wave(3000)), start)
    assert found.preparation.spec.training == expected.spec.training
    assert found.segments == expected.windows["calibration"].segments


def test_too_few_rows_make_windows_shorter() -> None:
    found = rehearse(dataset(wave(60)), plan(window=40))
    assert found.obstacle is None and found.plan.data.window == 5
    prepare(dataset(wave(60)), found.plan)


def test_a_channel_that_changes_later_is_kept() -> None:
    late = np.r_[np.zeros(900), np.ones(100)]
    found = rehearse(dataset(wave(1000), late), plan(window=20))
    assert (found.plan.data.constant, found.obstacle) == ("keep", None)


@pytest.mark.parametrize(
    ("columns", "said"),
    [([np.r_[np.full(950, np.nan), wave(50)]], "c0: has no value"), ([wave(3)], "data")],
)
def test_an_obstacle_is_told(columns: list[np.ndarray], said: str) -> None:
    found = rehearse(dataset(*columns), plan())
    assert found.preparation is None
    assert found.obstacle is not None and found.obstacle.startswith(said)
    assert found.segments == 0
