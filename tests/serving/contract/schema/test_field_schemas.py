import math

import pytest
from jsonschema_rs import validator_for

from rvae.serving.contract.options import ANNOTATIONS, Options
from rvae.serving.contract.schema.field_schemas import field_schemas, of_instances
from tests.support.untrained import KINDS, MODE


def test_every_field_has_a_schema_and_annotations_have_two() -> None:
    names = set(Options.model_fields) - {"task"} | {of_instances(name) for name in ANNOTATIONS}
    for card in (None, *KINDS.values()):
        schemas = field_schemas(card)
        assert set(schemas) == names
        assert all("description" in schema for schema in schemas.values())


def test_a_channel_takes_what_is_within_its_bounds() -> None:
    card = KINDS["numbers"]
    low, high = (float(bound[0]) for bound in card.scaler.bounds)
    data = validator_for(field_schemas(card)["data"])
    assert data.is_valid([low, high, None, *[20] * 5])
    assert data.is_valid([[20]] * card.window)
    for odd in (math.nextafter(low, -math.inf), math.nextafter(high, math.inf), "20", True):
        assert not data.is_valid([odd, *[20] * 7])
    assert not data.is_valid([20] * (card.window - 1))
    assert not data.is_valid([None] * card.window)


def test_columns_are_those_of_the_channels() -> None:
    card = KINDS["categories"]
    columns = validator_for(field_schemas(card)["columns"])
    fine = {"heat": [20.0] * 8, "mode": [MODE["mode"][0], 3, True, None] * 2}
    assert columns.is_valid(fine)
    assert not columns.is_valid({"heat": [20.0] * 8})
    assert not columns.is_valid(fine | {"other": [1] * 8})
    assert not columns.is_valid({name: [None] * 8 for name in fine})


@pytest.mark.parametrize("word", [0, "0", "old"])
def test_a_class_that_is_a_number_may_come_as_one(word: int | str) -> None:
    label = validator_for(field_schemas(KINDS["conditional"])["label"])
    assert label.is_valid(word)
    assert not label.is_valid("new") and not label.is_valid(None)


def test_the_quantile_is_at_most_the_largest_of_the_calibration() -> None:
    card = KINDS["numbers"]
    quantile = validator_for(field_schemas(card)["quantile"])
    largest = card.calibration.largest_quantile
    assert quantile.is_valid(largest) and quantile.is_valid(None)
    assert not quantile.is_valid(math.nextafter(largest, 1))
