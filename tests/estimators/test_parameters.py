from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rvae.config import (
    ConvolutionalConfig,
    DenseConfig,
    ObjectiveConfig,
    ReaderConfig,
    RecurrentConfig,
    ScoringConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.series import Dataset, Series
from rvae.data.windows import split
from rvae.errors import FieldError
from rvae.estimators.parameters import model_parameters, training_plan
from rvae.estimators.recurrent_vae import RecurrentVAE
from rvae.inference.engine import Engine

WINDOW = 3


def plan_of(windows: int = 100, **parameters: Any) -> TrainingPlan:
    series = [Series(np.zeros((WINDOW, 1)), str(i)) for i in range(windows)]
    dataset = Dataset(series, ("value",), ReaderConfig())
    return training_plan(RecurrentVAE(**parameters).get_params(), dataset, WINDOW, seed=5)


def test_every_parameter_reaches_its_option() -> None:
    plan = plan_of(
        latent=3,
        hidden=7,
        depth=2,
        likelihood="laplace",
        beta=0.5,
        epochs=4,
        batch_size=np.int64(9),
        learning_rate=0.02,
        quantile=0.8,
        validation=0.2,
        calibration=0.3,
        accelerator="cpu",
        model={"linear": True, "recurrent": {"cell": "gru"}},
        objective={"warmup": 0.5},
        scoring={"score": "excess"},
        training={"patience": 6},
    )
    assert plan.model.recurrent == RecurrentConfig("gru", 7, 2)
    assert (plan.model.latent, plan.model.likelihood, plan.model.linear) == (3, "laplace", True)
    assert plan.objective == ObjectiveConfig(beta=0.5, warmup=0.5)
    assert plan.scoring == ScoringConfig("excess")
    assert plan.training == TrainingConfig(
        4, 9, learning_rate=0.02, patience=6, seed=5, quantile=0.8, accelerator="cpu"
    )
    data = plan.data
    assert (data.window, data.validation, data.calibration) == (WINDOW, 0.2, 0.3)


def test_by_default_it_trains_as_the_command_does() -> None:
    plan = plan_of(1000)
    expected = TrainingPlan(plan.data, training=TrainingConfig(seed=5))
    assert plan == expected


@pytest.mark.parametrize(
    ("parameters", "section"),
    [
        ({"architecture": "convolutional", "hidden": 8}, ConvolutionalConfig(filters=8)),
        ({"architecture": "convolutional", "depth": 1}, ConvolutionalConfig(blocks=1)),
        ({"architecture": "dense", "hidden": 8}, DenseConfig((8, 8))),
        ({"architecture": "dense", "hidden": 8, "depth": 3}, DenseConfig((8, 8, 8))),
        ({"architecture": "dense", "depth": 0}, DenseConfig(())),
        ({"architecture": "dense"}, DenseConfig()),
    ],
)
def test_sizes_have_the_names_of_the_architecture(parameters: dict[str, Any], section: Any) -> None:
    assert getattr(plan_of(**parameters).model, parameters["architecture"]) == section


@pytest.mark.parametrize("windows", [4, 5, 7, 30])
def test_few_windows_still_make_three_parts(windows: int) -> None:
    plan = plan_of(windows)
    series = [Series(np.zeros((WINDOW, 1)), str(i)) for i in range(windows)]
    parts = split(series, plan.data, WINDOW, 5)
    assert len(parts.training) >= 2
    assert min(len(parts.validation), len(parts.calibration)) >= 1


@pytest.mark.parametrize(
    ("windows", "contamination", "quantile"),
    [(4, 0.0, 1 / 2), (100, 0.0, 15 / 16), (100, 0.2, 12 / 13), (660, 0.0, 0.99)],
)
def test_the_automatic_quantile_is_one_that_held_out_windows_support(
    windows: int, contamination: float, quantile: float
) -> None:
    plan = plan_of(windows, scoring={"contamination": contamination})
    assert plan.training.quantile == pytest.approx(quantile)


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"latent": "many"}, "model.latent"),
        ({"epochs": 0}, "training.epochs"),
        ({"quantile": "high"}, "training.quantile"),
        ({"validation": "0.2"}, "validation"),
        ({"validation": 0.9}, "data.validation"),
        ({"model": 3}, "model"),
        ({"model": {"latnt": 3}}, "model.latnt"),
        ({"model": {"latent": 3}}, "model.latent"),
        ({"training": {"seed": 3}}, "training.seed"),
        ({"hidden": 3, "model": {"recurrent": {"hidden": 3}}}, "model.recurrent.hidden"),
        ({"hidden": 3, "architecture": "my.module:NAME"}, "hidden"),
        ({"depth": 3, "architecture": "my.module:NAME"}, "depth"),
        ({"depth": 1.5, "architecture": "dense"}, "depth"),
        ({"hidden": 0, "architecture": "dense"}, "model.dense.layers"),
    ],
)
def test_what_is_wrong_is_named(parameters: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError) as caught:
        plan_of(**parameters)
    assert caught.value.field == field


def test_the_parameters_of_a_model_train_it_again(engine: Engine) -> None:
    card = engine.card
    parameters = model_parameters(card)
    assert parameters["model"] == {"recurrent": {"hidden": 24}}
    assert (parameters["epochs"], parameters["scoring"]) == (40, None)
    plan = plan_of(500, **parameters)
    assert (plan.model, plan.scoring) == (card.model, card.scoring)
    seed = card.training["options"]["seed"]
    assert replace(plan.training, seed=seed) == TrainingConfig(**card.training["options"])
