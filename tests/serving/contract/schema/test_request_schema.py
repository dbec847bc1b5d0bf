from typing import Any

import pytest
from jsonschema_rs import validator_for

from rvae.errors import FieldError
from rvae.serving.contract.options import Options
from rvae.serving.contract.schema.request_schema import request_schema
from tests.support.untrained import KINDS

BODIES: list[tuple[dict[str, Any], bool]] = [
    ({"data": [20.0] * 8}, True),
    ({"data": [20.0] * 8, "columns": None}, True),
    ({"data": [20.0] * 8, "task": None, "stride": 2}, True),
    ({"data": [20.0] * 8, "output": ["events"], "gap": 2}, True),
    ({"task": "encode", "instances": [[20.0] * 8]}, True),
    ({"task": "sample", "count": 2}, True),
    ({"task": "decode", "latent": [[0, 0, 0]]}, True),
    ({"data": [20.0] * 8, "gap": 2}, False),
    ({"data": [20.0] * 8, "threshold": 1.0, "quantile": 0.5}, False),
    ({"data": [20.0] * 8, "threshold": 1.0, "adapt": 0.01}, False),
    ({"data": [20.0] * 8, "colour": None}, False),
    ({"data": [20.0] * 8, "count": 2}, False),
    ({"task": "encode", "data": [20.0] * 8, "output": ["latent"]}, False),
    ({"task": "decode", "latent": [[0, 0, 0]], "seed": 1}, False),
    ({"task": "guess", "data": [20.0] * 8}, False),
]


@pytest.mark.parametrize(("body", "fits"), BODIES)
def test_bodies_that_the_schema_allows_are_those_whose_fields_are_allowed(
    body: dict[str, Any], fits: bool
) -> None:
    for card in (None, KINDS["numbers"]):
        assert validator_for(request_schema(card)).is_valid(body) == fits
    if fits:
        Options.parse(body)
    else:
        with pytest.raises(FieldError):
            Options.parse(body)


def test_a_body_holds_one_kind_of_values() -> None:
    schema = validator_for(request_schema(KINDS["numbers"]))
    assert not schema.is_valid({})
    assert not schema.is_valid({"data": [20.0] * 8, "columns": {"heat": [20.0] * 8}})


def test_annotations_that_a_model_needs_are_required() -> None:
    body = {"data": [20.0] * 8}
    assert not validator_for(request_schema(KINDS["conditional"])).is_valid(body)
    assert validator_for(request_schema(KINDS["conditional"])).is_valid(body | {"label": "old"})
    assert not validator_for(request_schema(KINDS["calendar"])).is_valid(body)
    times = [f"2026-01-31T{hour:02}:00:00" for hour in range(8)]
    assert validator_for(request_schema(KINDS["calendar"])).is_valid(body | {"timestamps": times})


def test_references_go_where_the_definitions_are() -> None:
    text = str(request_schema(references="#/elsewhere/{model}"))
    assert "#/elsewhere/data" in text and "#/$defs" not in text
