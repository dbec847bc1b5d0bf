"""The registry of outputs."""

from collections import Counter

import pytest
from pydantic import TypeAdapter

from rvae.serving.contract.outputs import DEFAULTS, EXPLANATION, OUTPUTS, output_names
from rvae.serving.contract.outputs.output import Axis, Output
from rvae.serving.contract.schema.response_schema import answer_types


def test_every_output_is_registered_under_its_name() -> None:
    assert {name: output.name for name, output in OUTPUTS.items()} == {n: n for n in OUTPUTS}
    assert {one.name for outputs in (*DEFAULTS.values(), EXPLANATION) for one in outputs} < set(
        OUTPUTS
    )
    assert sorted(name for axis in Axis for name in output_names(axis)) == sorted(OUTPUTS)


def test_no_two_fields_share_a_name_and_none_of_a_table_a_column() -> None:
    fields = [(output.axis, field) for output in OUTPUTS.values() for field in output.fields]
    names = Counter(field.name for _, field in fields)
    columns = Counter((axis, field.column_name) for axis, field in fields)
    assert names.most_common(1)[0][1] == columns.most_common(1)[0][1] == 1


def test_outputs_that_one_array_holds() -> None:
    arrays = {name for name, output in OUTPUTS.items() if output.is_array}
    assert arrays == set(OUTPUTS) - {"band", "events"}


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_every_field_is_in_the_schema_of_answers(output: Output) -> None:
    prediction, predictions = (TypeAdapter(one).json_schema() for one in answer_types())
    for field in output.fields:
        assert field.name in prediction["properties"]
        assert field.name not in prediction["required"]
        assert field.name in predictions["$defs"]["OfSeries"]["properties"]
