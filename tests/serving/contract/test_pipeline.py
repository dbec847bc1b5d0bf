import dataclasses
import random
from typing import Any

import orjson
import pytest

from rvae.errors import FieldError, MalformedError
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from rvae.serving.contract.options import MAX_SERIES
from rvae.serving.contract.query import Query
from tests.support.queries import body, parse

VALUES = [20.0 + i / 10 for i in range(32)]


@pytest.fixture(scope="module")
def card(engine: Engine) -> Card:
    return engine.card


@pytest.fixture(scope="module")
def two_channels(card: Card) -> Card:
    scaler = dataclasses.replace(card.scaler, mean=(20.0, 0.0), scale=(2.0, 1.0), categories=(0, 0))
    return dataclasses.replace(card, channels=("height", "speed"), scaler=scaler)


def named(query: Query) -> list[str]:
    return [output.name for output in query.outputs]


def test_what_a_server_has_parsed_is_taken_as_well(card: Card) -> None:
    query = parse({"data": VALUES, "output": ["score"], "stride": 3, "quantile": 0.5}, card)
    assert (named(query), query.options.stride, query.options.quantile) == (["score"], 3, 0.5)
    assert (query.options.adapt, query.options.gap) == (None, None)
    query = parse({"data": VALUES, "stride": 3.0}, card)
    assert (query.options.stride, type(query.options.stride)) == (3, int)
    query = parse({"data": VALUES, "output": ["events"], "adapt": 0, "gap": 0}, card)
    assert (named(query), query.options.adapt, query.options.gap) == (["events"], 0.0, 0)


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
def test_what_is_no_json_object_is_malformed(card: Card, text: bytes) -> None:
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
        ({"instances": [[]] * (MAX_SERIES + 1)}, "instances"),
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
        ({"data": VALUES, "alarms": "1 per week", "quantile": 0.5}, "alarms"),
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
        fields: dict[str, Any] = (
            {"data": list(VALUES)} if chance.random() < 0.5 else {"instances": [list(VALUES)]}
        )
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
