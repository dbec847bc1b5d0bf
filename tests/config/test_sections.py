from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from rvae.config import (
    DataConfig,
    ModelConfig,
    RecurrentConfig,
    TimeConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.config.sections import make_section
from rvae.errors import FieldError


def test_nested_options_make_nested_sections() -> None:
    options = {
        "latent": 3,
        "recurrent": {"hidden": 5, "cell": "gru"},
        "time": {"calendar": ["day"]},
    }
    expected = ModelConfig(
        latent=3, recurrent=RecurrentConfig("gru", 5), time=TimeConfig(calendar=("day",))
    )
    assert make_section(ModelConfig, options, "model") == expected


def test_the_whole_configuration_has_no_name() -> None:
    plan = make_section(TrainingPlan, {"data": {"path": "a.csv"}, "model": {"latent": 3}}, "")
    assert plan == TrainingPlan(DataConfig("a.csv"), ModelConfig(latent=3))
    with pytest.raises(FieldError, match=r"^modle: is no option: did you mean 'model'"):
        make_section(TrainingPlan, {"modle": {}}, "")
    with pytest.raises(FieldError, match=r"^options: must map"):
        make_section(TrainingPlan, 3, "")  # type: ignore[arg-type]


def test_former_options_are_known() -> None:
    made = make_section(ModelConfig, {"dense": {"batch_norm": True}}, "model")
    assert made.dense.normalization == "batch"
    with pytest.raises(FieldError, match=r"model\.dense\.batch_norm: should be a valid boolean"):
        make_section(ModelConfig, {"dense": {"batch_norm": "x"}}, "model")


def test_numbers_of_numpy_become_those_of_python() -> None:
    made = make_section(
        TrainingConfig, {"epochs": np.int64(3), "quantile": np.float32(0.5)}, "training"
    )
    assert (made.epochs, type(made.epochs)) == (3, int)
    assert (made.quantile, type(made.quantile)) == (0.5, float)


def test_the_options_of_a_section_make_it_again() -> None:
    model = ModelConfig("dense", options={"a": 1}, time=TimeConfig(2, ("day",), bypass=True))
    assert make_section(ModelConfig, asdict(model), "model") == model


@pytest.mark.parametrize(
    ("options", "field", "message"),
    [
        ({"latnt": 3}, "model.latnt", "did you mean 'latent'"),
        ({"qqq": 3}, "model.qqq", "there are architecture, "),
        ({"latent": "many"}, "model.latent", "valid integer.*got 'many'"),
        ({"latent": 2.5}, "model.latent", "got 2.5"),
        ({"latent": 0}, "model.latent", "at least 1"),
        ({"recurrent": {"cell": "rnn"}}, "model.recurrent.cell", "'lstm' or 'gru', got 'rnn'"),
        ({"recurrent": {"hiden": 3}}, "model.recurrent.hiden", "did you mean 'hidden'"),
        ({"recurrent": 3}, "model.recurrent", "must map options to values, got 3"),
        ({"noise_scale": "big"}, "model.noise_scale", "valid number.* or .*'learned', got 'big'"),
    ],
)
def test_what_is_wrong_is_named(options: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(FieldError, match=message) as caught:
        make_section(ModelConfig, options, "model")
    assert caught.value.field == field


def test_an_option_of_an_inner_section_is_found() -> None:
    with pytest.raises(FieldError, match=r"^model.hidden: .*did you mean 'recurrent.hidden'\?"):
        make_section(ModelConfig, {"hidden": 5}, "model")
