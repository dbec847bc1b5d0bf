"""What is fitted before a network is trained, and to which part of the data."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.config import DataConfig, ModelConfig, ReaderConfig, TrainingConfig, TrainingPlan
from rvae.data.series import Dataset, Series
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError
from rvae.training.prepare import prepare

WINDOW = 10
TRAINING = TrainingConfig(quantile=0.5, accelerator="cpu", batch_size=7)
SMALL = ModelConfig("dense", latent=2)


def plan(**options: Any) -> TrainingPlan:
    return TrainingPlan(
        DataConfig("values.npy", window=WINDOW, **options), SMALL, training=TRAINING
    )


def noise(
    length: int, level: float = 0.0, spread: float = 1.0, seed: int = 0
) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    return random.normal(level, spread, (length, 2)) * [1.0, 3.0] + [0.0, 5.0]


def dataset(*arrays: NDArray[np.float64]) -> Dataset:
    series = [Series(values, str(i)) for i, values in enumerate(arrays)]
    return Dataset(series, ("a", "b"), ReaderConfig())


def test_the_scaler_sees_the_training_part_of_a_series_only() -> None:
    """The others have another level and spread."""
    values = noise(1000)
    # 980 steps without gaps, of which training has seven tenths.
    training = 686
    values[training:] = noise(1000 - training, level=50, spread=9, seed=1)
    found = prepare(dataset(values), plan(split="time"))
    scaler = found.spec.scaler
    assert scaler.mean == pytest.approx(values[:training].mean(0), rel=1e-9)
    assert scaler.scale == pytest.approx(values[:training].std(0), rel=1e-9)
    assert found.spec.training["windows"]["training"] == training - WINDOW + 1


@pytest.mark.parametrize("split", ["order", "random"])
def test_the_scaler_sees_the_training_series_only(split: Literal["order", "random"]) -> None:
    arrays = [noise(40, level=i, spread=1 + i, seed=i) for i in range(20)]
    order = np.random.default_rng(0).permutation(20) if split == "random" else np.arange(20)
    training = np.concatenate([arrays[i] for i in order[:14]])
    found = prepare(dataset(*arrays), plan(split=split))
    assert found.spec.scaler.mean == pytest.approx(training.mean(0), rel=1e-9)
    assert found.spec.scaler.scale == pytest.approx(training.std(0), rel=1e-9)


def test_the_vocabulary_is_that_of_the_training_part() -> None:
    values = np.stack([noise(1000)[:, 0], np.arange(1000) % 2 + 1.0], axis=1)
    values[900:, 1] = 3.0
    data = Dataset(
        [Series(values)],
        ("a", "mode"),
        ReaderConfig(categorical=("mode",)),
        Vocabulary({"mode": ("x", "y", "z")}),
    )
    spec = prepare(data, plan(split="time")).spec
    assert spec.vocabulary.categories == {"mode": ("x", "y")}
    assert spec.scaler.categories == (0, 2)


def test_an_epoch_has_as_many_steps_as_there_are_batches() -> None:
    found = prepare(dataset(noise(1000)), plan(split="time"))
    windows = len(found.windows["training"])
    assert found.steps == -(-windows // 7)
    assert found.drop_last == (windows % 7 == 1)
    one_left = replace(plan(split="time"), training=replace(TRAINING, batch_size=windows - 1))
    found = prepare(dataset(noise(1000)), one_left)
    assert (found.steps, found.drop_last) == (1, True)


def test_windows_are_masked_where_the_training_part_has_gaps() -> None:
    values = noise(1000)
    assert prepare(dataset(values), plan(split="time")).training.hide == 0
    values[5, 0] = np.nan
    assert prepare(dataset(values), plan(split="time")).training.hide == 0.5


def test_a_value_that_is_out_of_bounds_is_found_in_every_part() -> None:
    for step in (760, 960):
        values = noise(1000)
        values[step, 1] = 1e30
        with pytest.raises(FieldError, match=f"step {step - 696 if step < 800 else step - 853}"):
            prepare(dataset(values), plan(split="time"))
