import dataclasses
import json
import random
from typing import Any

import numpy as np
import orjson
import pytest

from rvae.config import ModelConfig, TimeConfig
from rvae.errors import FieldError, MalformedError
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from rvae.serving.contract.messages import Call
from rvae.serving.contract.options import MOST
from rvae.serving.contract.query import query_of, read
from tests.support.untrained import untrained_card

VALUES = [20.0 + i / 10 for i in range(32)]


@pytest.fixture(scope="module")
def card(engine: Engine) -> Card:
    return engine.card


@pytest.fixture(scope="module")
def two_channels(card: Card) -> Card:
    scaler = dataclasses.replace(card.scaler, mean=(20.0, 0.0), scale=(2.0, 1.0), categories=(0, 0))
    return dataclasses.replace(card, channels=("height", "speed"), scaler=scaler)


def parse(text: Any, card: Card) -> Any:
    """What a request in JSON, or what a server has parsed of it, is about."""
    return query_of(read(Call(text)), card, explain=False)


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def test_a_series_may_come_with_or_without_a_channel_axis(card: Card) -> None:
    flat = parse(body(data=VALUES), card)
    nested = parse(body(data=[[v] for v in VALUES]), card)
    np.testing.assert_array_equal(flat.given.series[0].values, np.array(VALUES)[:, None])
    np.testing.assert_array_equal(flat.given.series[0].values, nested.given.series[0].values)
    assert (flat.given.flat, nested.given.flat, flat.given.many) == ([True], [False], False)


def test_null_is_missing(card: Card) -> None:
    series = parse(body(data=[None, *VALUES[1:]]), card).given.series[0].values
    assert np.isnan(series[0, 0]) and np.isfinite(series[1:]).all()


def test_instances_keep_their_order_and_may_differ_in_length(card: Card) -> None:
    query = parse(body(instances=[VALUES, VALUES + VALUES, [[v] for v in VALUES]]), card)
    assert [len(s) for s in query.given.series] == [32, 64, 32]
    assert query.given.flat == [True, True, False]
    assert query.given.many


def test_several_channels(two_channels: Card) -> None:
    query = parse(body(data=[[v, None] for v in VALUES[:-1]] + [[1, 2]]), two_channels)
    assert query.given.series[0].values.shape == (32, 2)
    np.testing.assert_array_equal(query.given.series[0].values[-1], [1, 2])


def test_what_a_server_has_parsed_is_taken_as_well(card: Card) -> None:
    query = parse({"data": VALUES, "output": ["score"], "stride": 3, "quantile": 0.5}, card)
    assert (query.output, query.options.stride, query.options.quantile) == (("score",), 3, 0.5)
    assert (query.options.adapt, query.options.gap) == (None, None)
    query = parse({"data": VALUES, "stride": 3.0}, card)
    assert (query.options.stride, type(query.options.stride)) == (3, int)
    query = parse({"data": VALUES, "output": ["events"], "adapt": 0, "gap": 0}, card)
    assert (query.output, query.options.adapt, query.options.gap) == (("events",), 0.0, 0)


NUMBERS = ", ".join(map(str, VALUES[1:]))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"nonsense",
        b"[1, 2]",
        b'"data"',
        b"null",
        b"17",
        b'{"data": [NaN, ' + NUMBERS.encode() + b"]}",
        b'{"data": [Infinity, ' + NUMBERS.encode() + b"]}",
        b'{"data": [1e400, ' + NUMBERS.encode() + b"]}",
        b'{"data": [' + b"9" * 400 + b", " + NUMBERS.encode() + b"]}",
        b'{"data": "\xff\xfe"}',
        b'{"\\ud800": 1}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        "{}".encode("utf-16"),
        b"\x00" * 100,
    ],
)
def test_what_is_no_json_object_is_malformed(card: Card, text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse(text, card)
    assert caught.value.field == "body"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "data"),
        ({"data": None}, "data"),
        ({"data": []}, "data"),
        ({"data": VALUES[1:]}, "data"),
        ({"data": "1,2,3"}, "data"),
        ({"data": {"0": 1}}, "data"),
        ({"data": [*VALUES, "1"]}, "data[32]"),
        ({"data": [True, *VALUES]}, "data[0]"),
        ({"data": [*VALUES, [1]]}, "data[32]"),
        ({"data": [[v] for v in VALUES] + [1]}, "data[32]"),
        ({"data": [[v] for v in VALUES] + [[1, 2]]}, "data[32]"),
        ({"data": [[v] for v in VALUES] + [[]]}, "data[32]"),
        ({"data": [[v] for v in VALUES] + [["x"]]}, "data[32][0]"),
        ({"data": [[v] for v in VALUES] + [[[1]]]}, "data[32][0]"),
        ({"data": [{}, *VALUES]}, "data[0]"),
        ({"data": [None] * 32}, "data"),
        ({"data": [1e308, *VALUES]}, "data[0]"),
        ({"data": [*VALUES, -1e20]}, "data[32]"),
        ({"data": VALUES, "instances": [VALUES]}, "instances"),
        ({"data": VALUES, "columns": {"height": VALUES}}, "columns"),
        ({"instances": []}, "instances"),
        ({"instances": [[]] * (MOST + 1)}, "instances"),
        ({"instances": VALUES}, "instances[0]"),
        ({"instances": [VALUES, VALUES[1:]]}, "instances[1]"),
        ({"instances": [VALUES, [*VALUES, True]]}, "instances[1][32]"),
        ({"data": VALUES, "output": []}, "output"),
        ({"data": VALUES, "output": "score"}, "output"),
        ({"data": VALUES, "output": ["score", "everything"]}, "output[1]"),
        ({"data": VALUES, "stride": 0}, "stride"),
        ({"data": VALUES, "stride": 1.5}, "stride"),
        ({"data": VALUES, "stride": "1"}, "stride"),
        ({"data": VALUES, "stride": True}, "stride"),
        ({"data": VALUES, "stride": 2**63}, "stride"),
        ({"data": VALUES, "stride": 2**64}, "stride"),
        ({"data": VALUES, "quantile": 0}, "quantile"),
        ({"data": VALUES, "quantile": 1}, "quantile"),
        ({"data": VALUES, "threshold": "high"}, "threshold"),
        ({"data": VALUES, "threshold": 1, "quantile": 0.5}, "threshold"),
        ({"data": VALUES, "adapt": -0.01}, "adapt"),
        ({"data": VALUES, "adapt": 0.11}, "adapt"),
        ({"data": VALUES, "adapt": True}, "adapt"),
        ({"data": VALUES, "adapt": "0.01"}, "adapt"),
        ({"data": VALUES, "adapt": 0.01, "threshold": 1}, "adapt"),
        ({"data": VALUES, "output": ["events"], "gap": -1}, "gap"),
        ({"data": VALUES, "output": ["events"], "gap": 1.5}, "gap"),
        ({"data": VALUES, "output": ["events"], "gap": 2**64}, "gap"),
        ({"data": VALUES, "output": ["score"], "gap": 1}, "gap"),
        ({"data": VALUES, "gap": 1}, "gap"),
        ({"data": VALUES, "dta": VALUES}, "dta"),
    ],
)
def test_what_does_not_fit_names_its_field(card: Card, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError) as caught:
        parse(body(**fields), card)
    assert caught.value.field == field
    assert not isinstance(caught.value, MalformedError)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400])
def test_numbers_that_only_other_parsers_let_through(card: Card, value: Any) -> None:
    with pytest.raises(FieldError) as caught:
        parse({"data": [value, *VALUES]}, card)
    assert caught.value.field.startswith("data")


@pytest.mark.parametrize("row", [[1.0], [1.0, 2.0, 3.0], 1.0])
def test_the_channels_are_named_where_their_number_is_wrong(
    two_channels: Card, row: float | list[float]
) -> None:
    with pytest.raises(FieldError, match=r"2 values \(height, speed\)") as caught:
        parse(body(data=[[1, 2]] * 40 + [row]), two_channels)
    assert caught.value.field == "data[40]"


def test_random_bodies_are_answered_or_refused_but_never_break(card: Card) -> None:
    """Mutations of sound bodies, at the level of bytes and of values."""
    chance = random.Random(0)
    pool: list[Any] = [
        None,
        True,
        0,
        -1,
        1.5,
        1e308,
        "",
        "x",
        [],
        {},
        [[]],
        [[1]],
        [None],
        {"data": 1},
        VALUES,
    ]
    outcomes = {"sound": 0, "malformed": 0, "unfit": 0}
    for _ in range(5000):
        alone = chance.random() < 0.5
        fields: dict[str, Any]
        fields = {"data": list(VALUES)} if alone else {"instances": [list(VALUES)]}
        if chance.random() < 0.7:
            target = fields.get("data") or fields["instances"]
            target[chance.randrange(len(target))] = chance.choice(pool)
        if chance.random() < 0.5:
            name = chance.choice(
                ["output", "stride", "quantile", "threshold", "adapt", "data", "other"]
            )
            fields[name] = chance.choice(pool)
        text = bytearray(orjson.dumps(fields))
        for _ in range(chance.choice([0, 0, 1, 3])):
            text[chance.randrange(len(text))] = chance.randrange(256)
        try:
            parse(bytes(text), card)
            outcomes["sound"] += 1
        except MalformedError:
            outcomes["malformed"] += 1
        except FieldError:
            outcomes["unfit"] += 1
    assert min(outcomes.values()) > 100, outcomes


TIMES = [f"2026-01-31T{hour:02}:00:00" for hour in range(8)]
STEPS = [20.0 + i for i in range(8)]
ROWS = [[v, "on", "3"] for v in STEPS]


@pytest.fixture(scope="module")
def with_categories() -> Card:
    categories = {"mode": ("off", "on", "true"), "gear": ("1", "3")}
    return untrained_card(ModelConfig("dense"), ("heat", "mode", "gear"), categories)


@pytest.fixture(scope="module")
def with_times() -> Card:
    return untrained_card(ModelConfig("dense", time=TimeConfig(calendar=("day",))))


@pytest.fixture(scope="module")
def with_classes() -> Card:
    return untrained_card(ModelConfig("dense", conditional=True), classes=("1", "old"))


def test_categories_are_numbered_and_what_is_unknown_is_no_error(with_categories: Card) -> None:
    rows = [
        [20, "off", "1"],
        [21, "stuck", 3],
        [22, True, 1],
        [None, None, None],
        [23, "", "9" * 5000],
    ]
    (series,) = parse(body(data=[*rows, *ROWS]), with_categories).given.series
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
    np.testing.assert_array_equal(by_name.given.series[0].values, by_step.given.series[0].values)
    assert (by_name.given.flat, by_name.given.many) == ([False], False)
    missing = parse(body(columns={"height": VALUES, "speed": [None, *VALUES[1:]]}), two_channels)
    assert np.isnan(missing.given.series[0].values[0, 1])
    assert parse(body(columns={"height": VALUES}), card).given.flat == [True]


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
    np.testing.assert_array_equal(flat.given.series[0].values[:4], [[2], [np.nan], [1], [0]])
    np.testing.assert_array_equal(flat.given.series[0].values, nested.given.series[0].values)
    assert (flat.given.flat, nested.given.flat) == ([True], [False])


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
    assert len(parse(body(data=rows), card).given.series[0]) == 8
    for value in (-0.01, 1.01, 255):
        with pytest.raises(FieldError, match="from 0 to 1") as caught:
            parse(body(data=[*rows, [value, "on"]]), card)
        assert caught.value.field == "data[8][0]"


@pytest.mark.parametrize(
    ("times", "first"),
    [
        (TIMES, "2026-01-31T00:00"),
        ([t + "Z" for t in TIMES], "2026-01-31T00:00"),
        ([t + "+05:30" for t in TIMES], "2026-01-30T18:30"),
        ([f"2026-02-{day:02}" for day in range(1, 9)], "2026-02-01"),
        ([f"2026-02-01 00:00:00.00000{i}" for i in range(8)], "2026-02-01"),
    ],
)
def test_times_come_with_a_zone_or_without(with_times: Card, times: Any, first: str) -> None:
    (series,) = parse(body(data=STEPS, timestamps=times), with_times).given.series
    assert series.times[0] == np.datetime64(first)
    assert series.times.dtype == "datetime64[us]"
    assert (np.diff(series.times) > np.timedelta64(0)).all()


@pytest.mark.parametrize(
    ("times", "field"),
    [
        (None, "timestamps"),
        (TIMES[0], "timestamps"),
        ({}, "timestamps"),
        ([], "timestamps"),
        (TIMES[1:], "timestamps"),
        ([*TIMES, "2026-02-01"], "timestamps"),
        (TIMES[::-1], "timestamps"),
        ([TIMES[0], *TIMES[:7]], "timestamps"),
        ([*TIMES[:7], None], "timestamps[7]"),
        ([*TIMES[:7], 1769860800], "timestamps[7]"),
        ([*TIMES[:3], "31.01.2026", *TIMES[4:]], "timestamps[3]"),
        ([*TIMES[:3], "", *TIMES[4:]], "timestamps[3]"),
        (["0001-01-01T00:00:00+10:00", *TIMES[1:]], "timestamps[0]"),
        (["2026-02-30", *TIMES[1:]], "timestamps[0]"),
    ],
)
def test_what_are_no_times_names_its_place(with_times: Card, times: Any, field: str) -> None:
    with pytest.raises(FieldError) as caught:
        parse(body(data=STEPS, timestamps=times), with_times)
    assert caught.value.field == field
    if times is not None:  # a model that does not need them may as well be told the truth
        with pytest.raises(FieldError) as caught:
            parse(body(data=STEPS, timestamps=times), untrained_card())
        assert caught.value.field == field


def test_each_instance_has_times_of_its_own(with_times: Card) -> None:
    later = [t.replace("2026", "2027") for t in TIMES]
    query = parse(body(instances=[STEPS, STEPS], timestamps=[TIMES, later]), with_times)
    assert [s.times[0].astype(str)[:4] for s in query.given.series] == ["2026", "2027"]
    for times, field in (
        (None, "timestamps"),
        (TIMES, "timestamps"),
        ([TIMES], "timestamps"),
        ([TIMES, None], "timestamps[1]"),
        ([TIMES, TIMES[1:]], "timestamps[1]"),
        ([TIMES, [*TIMES[:7], "x"]], "timestamps[1][7]"),
    ):
        with pytest.raises(FieldError) as caught:
            parse(body(instances=[STEPS, STEPS], timestamps=times), with_times)
        assert caught.value.field == field


@pytest.mark.parametrize(("label", "index"), [("1", 0), (1, 0), ("1.0", 0), ("old", 1)])
def test_a_label_is_a_class_of_all_steps(with_classes: Card, label: int | str, index: int) -> None:
    (series,) = parse(body(data=STEPS, label=label), with_classes).given.series
    assert series.classes.tolist() == [index] * 8


@pytest.mark.parametrize("label", [None, "new", "", 2, 1.0, True, ["1"], {}])
def test_what_is_no_known_class_is_refused(with_classes: Card, label: Any) -> None:
    with pytest.raises(FieldError, match="1, old") as caught:
        parse(body(data=STEPS, label=label), with_classes)
    assert caught.value.field == "label"


def test_each_instance_has_a_label_of_its_own(with_classes: Card) -> None:
    query = parse(body(instances=[STEPS, STEPS], label=["old", 1]), with_classes)
    assert [s.classes[0] for s in query.given.series] == [1, 0]
    for label, field in (
        (None, "label"),
        ("old", "label"),
        (["old"], "label"),
        (["old", None], "label[1]"),
        (["old", "new"], "label[1]"),
        (["old", ["1"]], "label[1]"),
    ):
        with pytest.raises(FieldError) as caught:
            parse(body(instances=[STEPS, STEPS], label=label), with_classes)
        assert caught.value.field == field


def test_a_model_without_classes_takes_no_label() -> None:
    with pytest.raises(FieldError, match="no classes") as caught:
        parse(body(data=STEPS, label="a"), untrained_card())
    assert caught.value.field == "label"
