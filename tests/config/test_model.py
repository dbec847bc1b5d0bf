"""Nonsense in a section is refused by the name of its field."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from rvae.config import (
    ConvolutionalConfig,
    DenseConfig,
    FlowConfig,
    ModelConfig,
    RecurrentConfig,
    TimeConfig,
)
from rvae.errors import FieldError


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("model.latent", lambda: ModelConfig(latent=-1)),
        ("model.recurrent.hidden", lambda: RecurrentConfig(hidden=0)),
        ("model.recurrent.depth", lambda: RecurrentConfig(depth=0)),
        ("model.recurrent.patch", lambda: RecurrentConfig(patch=0)),
        ("model.recurrent.dropout", lambda: RecurrentConfig(dropout=1.0)),
        (
            "model.recurrent.normalization",
            lambda: RecurrentConfig(conditioning="feedback", normalization="batch"),
        ),
        ("model.convolutional.filters", lambda: ConvolutionalConfig(filters=0)),
        ("model.convolutional.blocks", lambda: ConvolutionalConfig(blocks=0)),
        ("model.convolutional.kernel", lambda: ConvolutionalConfig(kernel=4)),
        ("model.convolutional.heads", lambda: ConvolutionalConfig(filters=32, heads=5)),
        ("model.convolutional.dropout", lambda: ConvolutionalConfig(dropout=-0.1)),
        ("model.dense.layers", lambda: DenseConfig(layers=(3, 0))),
        ("model.dense.dropout", lambda: DenseConfig(dropout=1.0)),
        ("model.dense.batch_norm", lambda: DenseConfig(normalization="layer", batch_norm=True)),
        ("model.noise_scale", lambda: ModelConfig(noise_scale=0.0)),
        ("model.embedding", lambda: ModelConfig(embedding=0)),
        ("model.flow.transforms", lambda: FlowConfig(transforms=0)),
        ("model.flow.hidden", lambda: FlowConfig(hidden=0)),
        ("model.time.encoding", lambda: TimeConfig(encoding=-1)),
        ("model.time.calendar", lambda: TimeConfig(calendar=("day", "day"))),
        ("model.time.bypass", lambda: TimeConfig(bypass=True)),
    ],
)
def test_nonsense_names_its_field(field: str, make: Callable[..., Any]) -> None:
    with pytest.raises(FieldError) as caught:
        make()
    assert caught.value.field == field


def test_a_model_survives_json() -> None:
    model = ModelConfig(
        "dense",
        dense=DenseConfig((3, 2)),
        time=TimeConfig(2, ("day",), bypass=True),
        flow=FlowConfig(3),
        options={"width": 4},
    )
    content = json.loads(json.dumps(asdict(model)))
    assert ModelConfig.from_dict(content) == model
    assert ModelConfig.from_dict(asdict(model)) == model


def test_what_an_earlier_version_did_not_know_is_as_by_default() -> None:
    content = asdict(ModelConfig(latent=3))
    del content["options"]
    assert ModelConfig.from_dict(content) == ModelConfig(latent=3)


@pytest.mark.parametrize(("former", "normalization"), [(True, "batch"), (False, "none")])
def test_the_former_name_of_batch_normalization_is_known(former: bool, normalization: str) -> None:
    content = asdict(ModelConfig("dense"))
    assert "batch_norm" not in content["dense"]
    del content["dense"]["normalization"]
    content["dense"]["batch_norm"] = former
    model = ModelConfig.from_dict(content)
    assert model.dense.normalization == normalization
    assert replace(model.dense, dropout=0.1).normalization == normalization
    assert ModelConfig.from_dict(asdict(model)) == model
