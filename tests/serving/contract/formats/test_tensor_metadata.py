"""What is said of tensors, held against requests and answers."""

from typing import Any

import pytest

from rvae.inference.card import Card
from rvae.serving.contract.formats.tensor_metadata import datatype_of, tensor_metadata
from rvae.serving.service import Limits, Service
from tests.support.openapi_document import schema_named
from tests.support.service_client import answer_to
from tests.support.untrained import KINDS, untrained_engine

STEPS = 20


@pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
def card(request: pytest.FixtureRequest) -> Card:
    return request.param


def value(name: str, step: int, card: Card) -> Any:
    """A value of an input at a step."""
    if name == "timestamps":
        return f"2026-01-01T{step:02d}:00:00Z"
    if name == "label":
        return card.vocabulary.classes[0]
    words = card.vocabulary.categories.get(name)
    return words[step % len(words)] if words else float(card.scaler.mean[0])


def sent(said: Any, card: Card) -> dict[str, Any]:
    """An input as the metadata says that it has to be."""
    rows, *axes = said["shape"]
    rows = STEPS if rows == -1 else rows
    per_row = axes[0] if axes else 1
    data = [value(said["name"], step, card) for step in range(rows) for _ in range(per_row)]
    return {**said, "shape": [rows, *axes], "data": data}


def test_what_is_said_to_be_taken_is_and_every_output_is_as_it_is_said(card: Card) -> None:
    said = tensor_metadata(card)
    schema_named("TensorsSaid").validate(said)
    service = Service(untrained_engine(card), "any", "1.0", Limits())
    body = {"inputs": [sent(one, card) for one in said["inputs"]]}
    assert answer_to(service, body)[0] == 200
    for output in said["outputs"]:
        status, answer = answer_to(service, body | {"outputs": [{"name": output["name"]}]})
        assert status == 200, (output, answer)
        (tensor,) = answer["outputs"]
        assert tensor["datatype"] == output["datatype"]
        assert tensor["shape"][1:] == output["shape"][1:] and output["shape"][0] == -1


def test_every_input_is_needed(card: Card) -> None:
    said = tensor_metadata(card)["inputs"]
    service = Service(untrained_engine(card), "any", "1.0", Limits())
    for missing in said:
        inputs = [sent(one, card) for one in said if one is not missing]
        assert answer_to(service, {"inputs": inputs})[0] == 422


def test_a_series_has_all_channels_and_categories_come_as_words() -> None:
    for name, inputs in {
        "several": [("series", "FP64", [-1, 2])],
        "categories": [("heat", "FP64", [-1]), ("mode", "BYTES", [-1])],
        "calendar": [("series", "FP64", [-1, 1]), ("timestamps", "BYTES", [-1])],
        "conditional": [("series", "FP64", [-1, 1]), ("label", "BYTES", [1])],
    }.items():
        said = tensor_metadata(KINDS[name])["inputs"]
        assert [(one["name"], one["datatype"], one["shape"]) for one in said] == inputs


def test_tensors_of_generated_windows_have_datatypes_too() -> None:
    named = {name: datatype_of(name) for name in ("instances", "latent", "seed")}
    assert named == {"instances": "FP64", "latent": "FP32", "seed": "INT64"}
