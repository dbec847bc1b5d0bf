"""Series as lists: steps, columns, instances and categories."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from rvae.config import ModelConfig
from rvae.errors import FieldError
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from tests.support.queries import body, parse
from tests.support.untrained import untrained_card

VALUES = [20.0 + i / 10 for i in range(32)]


@pytest.fixture(scope="module")
def card(engine: Engine) -> Card:
    return engine.card


@pytest.fixture(scope="module")
def two_channels(card: Card) -> Card:
    scaler = dataclasses.replace(card.scaler, mean=(20.0, 0.0), scale=(2.0, 1.0), categories=(0, 0))
    return dataclasses.replace(card, channels=("height", "speed"), scaler=scaler)


def test_a_series_may_come_with_or_without_a_channel_axis(card: Card) -> None:
    flat = parse(body(data=VALUES), card)
    nested = parse(body(data=[[v] for v in VALUES]), card)
    np.testing.assert_array_equal(flat.inputs.series[0].values, np.array(VALUES)[:, None])
    np.testing.assert_array_equal(flat.inputs.series[0].values, nested.inputs.series[0].values)
    assert (flat.inputs.flat, nested.inputs.flat, flat.inputs.many) == ([True], [False], False)


def test_null_is_missing(card: Card) -> None:
    series = parse(body(data=[None, *VALUES[1:]]), card).inputs.series[0].values
    assert np.isnan(series[0, 0]) and np.isfinite(series[1:]).all()


def test_instances_keep_their_order_and_may_differ_in_length(card: Card) -> None:
    query = parse(body(instances=[VALUES, VALUES + VALUES, [[v] for v in VALUES]]), card)
    assert [len(s) for s in query.inputs.series] == [32, 64, 32]
    assert query.inputs.flat == [True, True, False]
    assert query.inputs.many


def test_several_channels(two_channels: Card) -> None:
    query = parse(body(data=[[v, None] for v in VALUES[:-1]] + [[1, 2]]), two_channels)
    assert query.inputs.series[0].values.shape == (32, 2)
    np.testing.assert_array_equal(query.inputs.series[0].values[-1], [1, 2])


@pytest.mark.parametrize("row", [[1.0], [1.0, 2.0, 3.0], 1.0])
def test_the_channels_are_named_where_their_number_is_wrong(
    two_channels: Card, row: float | list[float]
) -> None:
    with pytest.raises(FieldError, match=r"2 values \(height, speed\)") as caught:
        parse(body(data=[[1, 2]] * 40 + [row]), two_channels)
    assert caught.value.field == "data[40]"


STEPS = [20.0 + i for i in range(8)]


ROWS = [[v, "on", "3"] for v in STEPS]


@pytest.fixture(scope="module")
def with_categories() -> Card:
    categories = {"mode": ("off", "on", "true"), "gear": ("1", "3")}
    return untrained_card(ModelConfig("dense"), ("heat", "mode", "gear"), categories)


def test_categories_are_numbered_and_what_is_unknown_is_no_error(with_categories: Card) -> None:
    rows = [
        [20, "off", "1"],
        [21, "stuck", 3],
        [22, True, 1],
        [None, None, None],
        [23, "", "9" * 5000],
    ]
    (series,) = parse(body(data=[*rows, *ROWS]), with_categories).inputs.series
    nan = np.nan
    expected = [[20, 1, 1], [21, 0, 2], [22, 3, 1], [nan, nan, nan], [23, 0, 0]]
    np.testing.assert_array_equal(series.values[:5], expected)
    np.testing.assert_array_equal(series.values[5:, 1:], [[2, 2]] * 8)


def test_columns_say_the_same_as_rows(
    with_categories: Card, two_channels: Card, card: Card
) -> None:
    gear, heat, mode = ([row[i] for row in ROWS] for i in (2, 0, 1))
    by_name = parse(body(columns={"gear": gear, "heat": heat, "mode": mode}), with_categories)
    by_step = parse(body(data=ROWS), with_categories)
    np.testing.assert_array_equal(by_name.inputs.series[0].values, by_step.inputs.series[0].values)
    assert (by_name.inputs.flat, by_name.inputs.many) == ([False], False)
    missing = parse(body(columns={"height": VALUES, "speed": [None, *VALUES[1:]]}), two_channels)
    assert np.isnan(missing.inputs.series[0].values[0, 1])
    assert parse(body(columns={"height": VALUES}), card).inputs.flat == [True]


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({}, "columns.height"),
        ({"height": VALUES}, "columns.speed"),
        ({"height": VALUES, "speed": VALUES, "heat": VALUES}, "columns.heat"),
        ({"height": VALUES, "speed": VALUES[1:]}, "columns.speed"),
        ({"height": VALUES[1:], "speed": VALUES[1:]}, "columns.height"),
        ({"height": VALUES, "speed": [*VALUES[1:], "1"]}, "columns.speed[31]"),
        ({"height": [1e30, *VALUES[1:]], "speed": VALUES}, "columns.height[0]"),
        ({"height": VALUES, "speed": 3}, "columns.speed"),
        ({"height": VALUES, "speed": {"0": 1}}, "columns.speed"),
        (dict.fromkeys(map(str, range(100_000)), 1), "columns.0"),
        ({"height": [None] * 32, "speed": [None] * 32}, "columns"),
        ([VALUES, VALUES], "columns"),
    ],
)
def test_columns_that_do_not_fit_are_named(two_channels: Card, columns: Any, field: str) -> None:
    with pytest.raises(FieldError) as caught:
        parse(body(columns=columns), two_channels)
    assert caught.value.field == field
    assert len(caught.value.message) > 10


def test_a_body_that_was_parsed_is_left_as_it_was(with_categories: Card) -> None:
    given = {"data": [list(row) for row in ROWS]}
    parse(given, with_categories)
    assert given == {"data": ROWS}


def test_one_categorical_channel_may_come_flat() -> None:
    card = untrained_card(channels=("mode",), categories={"mode": ("off", "on")})
    words = ["on", None, "off", "stuck"] * 2
    flat, nested = (parse(body(data=d), card) for d in (words, [[word] for word in words]))
    np.testing.assert_array_equal(flat.inputs.series[0].values[:4], [[2], [np.nan], [1], [0]])
    np.testing.assert_array_equal(flat.inputs.series[0].values, nested.inputs.series[0].values)
    assert (flat.inputs.flat, nested.inputs.flat) == ([True], [False])


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ([20, 1.5, "3"], "data[8][1]"),
        ([20, 1.0, "3"], "data[8][1]"),
        ([20, "on", [3]], "data[8][2]"),
        ([20, {"is": "on"}, "3"], "data[8][1]"),
        (["20", "on", "3"], "data[8][0]"),
        ([True, "on", "3"], "data[8][0]"),
        ([1e30, "on", "3"], "data[8][0]"),
        ([20, "on"], "data[8]"),
        ("on", "data[8]"),
    ],
)
def test_what_is_no_category_names_its_place(
    with_categories: Card, row: list[Any] | str, field: str
) -> None:
    with pytest.raises(FieldError) as caught:
        parse(body(data=[*ROWS, row]), with_categories)
    assert caught.value.field == field
    with pytest.raises(FieldError) as caught:
        parse(body(instances=[ROWS, [*ROWS, row]]), with_categories)
    assert caught.value.field == field.replace("data", "instances[1]")


def test_nothing_but_missing_categories_is_nothing(with_categories: Card) -> None:
    with pytest.raises(FieldError, match="no value") as caught:
        parse(body(data=[[None] * 3] * 8), with_categories)
    assert caught.value.field == "data"


def test_a_bernoulli_model_takes_the_unit_interval_alone() -> None:
    model = ModelConfig("dense", likelihood="bernoulli")
    card = untrained_card(model, ("duty", "mode"), {"mode": ("off", "on")})
    rows = [[0, "on"], [1, "off"], [0.5, "stuck"], [None, None]] * 2
    assert len(parse(body(data=rows), card).inputs.series[0]) == 8
    for value in (-0.01, 1.01, 255):
        with pytest.raises(FieldError, match="from 0 to 1") as caught:
            parse(body(data=[*rows, [value, "on"]]), card)
        assert caught.value.field == "data[8][0]"
