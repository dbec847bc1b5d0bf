from typing import Any

import pytest

from rvae.errors import FieldError
from rvae.serving.contract.options import SERIES_FIELDS, TASK_FIELDS, Options
from rvae.serving.contract.outputs import OUTPUTS


def test_every_field_is_of_a_task_and_every_task_has_fields_of_options() -> None:
    of_tasks = {name for names in TASK_FIELDS.values() for name in names}
    assert of_tasks | {"task"} == set(Options.model_fields)


def test_fields_that_are_left_out_or_null_are_not_set() -> None:
    options = Options.parse({"task": None, "data": [1.0], "stride": 8.0, "quantile": None})
    assert options.set_fields == ["data", "stride"]
    assert options.stride == 8 and type(options.stride) is int
    assert Options.parse({}).set_fields == []


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_may_be_asked_for(name: str) -> None:
    assert Options.parse({"output": [name]}).output == [name]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"colour": 1}, "colour"),
        ({"task": "guess"}, "task"),
        ({"stride": 0}, "stride"),
        ({"stride": 1.5}, "stride"),
        ({"stride": "1"}, "stride"),
        ({"stride": True}, "stride"),
        ({"quantile": 1.0}, "quantile"),
        ({"threshold": float("inf")}, "threshold"),
        ({"adapt": -0.1}, "adapt"),
        ({"output": []}, "output"),
        ({"output": ["score"] * 2}, "output"),
        ({"output": ["guess"]}, "output[0]"),
        ({"output": ["score"] * 100}, "output"),
        ({"instances": []}, "instances"),
        ({"task": "encode", "quantile": 0.5}, "quantile"),
        ({"task": "decode", "count": 1}, "count"),
        ({"quantile": 0.5, "threshold": 1.0}, "threshold"),
        ({"quantile": 0.5, "alarms": "1 per week"}, "alarms"),
        ({"threshold": 1.0, "alarms": "1 per week"}, "alarms"),
        ({"alarms": "often"}, "alarms"),
        ({"alarms": "0 per week"}, "alarms"),
        ({"alarms": "١ per week"}, "alarms"),
        ({"alarms": "1 per " + "9" * 10**5}, "alarms"),
        ({"alarms": 1}, "alarms"),
        ({"task": "encode", "alarms": "1 per week"}, "alarms"),
        ({"adapt": 0.01, "threshold": 1.0}, "adapt"),
        ({"gap": 3}, "gap"),
        ({"gap": 3, "output": ["score"]}, "gap"),
        ({"task": "sample", "seed": 2**53}, "seed"),
    ],
)
def test_the_first_field_that_is_wrong_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError) as caught:
        Options.parse(fields)
    assert caught.value.field == field


@pytest.mark.parametrize("name", [*SERIES_FIELDS, "latent"])
def test_values_are_either_in_the_body_or_in_a_field(name: str) -> None:
    assert Options.parse_without_values({name: None, "stride": 2}).stride == 2
    with pytest.raises(FieldError, match="the body holds the values") as caught:
        Options.parse_without_values({name: [1.0]})
    assert caught.value.field == name
