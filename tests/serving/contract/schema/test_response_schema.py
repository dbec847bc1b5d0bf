from pydantic import TypeAdapter

from rvae.serving.contract.outputs import OUTPUTS
from rvae.serving.contract.schema.response_schema import Drawing, answer_types


def test_an_answer_says_whose_it_is_and_may_hold_the_fields_of_any_output() -> None:
    one, many = (TypeAdapter(kind).json_schema() for kind in answer_types())
    fields = {field.name for output in OUTPUTS.values() for field in output.fields}
    assert set(one["properties"]) == fields | {"series", "window", "model", "version"}
    assert set(one["required"]) == {"window", "model", "version"}
    assert set(many["required"]) == {"model", "version", "predictions"}
    assert set(many["$defs"]["OfSeries"]["properties"]) == fields | {"series", "window"}
    assert one["additionalProperties"] is many["additionalProperties"] is False


def test_samples_have_a_seed_only_if_they_were_drawn() -> None:
    schema = TypeAdapter(Drawing).json_schema()
    assert set(schema["properties"]) - set(schema["required"]) == {"seed"}
