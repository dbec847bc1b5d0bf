"""Answers have the sizes that are said of them before they are computed."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from rvae.config import ReaderConfig
from rvae.inference.card import Card
from rvae.serving.contract.answer_values import field_values, result_values, sample_values
from rvae.serving.contract.messages import Request
from rvae.serving.contract.outputs import OUTPUTS
from rvae.serving.contract.outputs.output import Axis
from rvae.serving.contract.pipeline import decode, validate
from rvae.serving.contract.sizes import Kind
from rvae.serving.service import Limits, Service
from tests.support.hostile_targets import FULL
from tests.support.queries import body, parse
from tests.support.untrained import KINDS, untrained_card, untrained_engine

NPY = "application/octet-stream"
ARROW = "application/vnd.apache.arrow.stream"
ACCEPTED = ("application/json", "text/csv", NPY, ARROW)

# Words and names that take more room in some formats than they have letters.
ODD = untrained_card(
    FULL,
    ("heat", 'lo"ad, größe', "mode"),
    {"mode": ("off", 'say "on"\n', "1", "größe")},
    ("busy", "idle"),
    reader=ReaderConfig(time="when", classes="kind", series="unit"),
)
CARDS = {**KINDS, "odd": ODD}


@pytest.fixture(scope="module", params=list(CARDS.values()), ids=list(CARDS))
def model(request: pytest.FixtureRequest) -> tuple[Service, Card]:
    return Service(untrained_engine(request.param), "any", "1.0", Limits()), request.param


def series(card: Card, steps: int, seed: int) -> list[Any]:
    random = np.random.default_rng(seed)
    columns = []
    for name in card.channels:
        words = card.vocabulary.categories.get(name)
        low = 0.0 if card.scaler.unit_interval else 15.0
        column: list[Any] = (low + random.random(steps)).tolist()
        if words:
            column = [words[i] for i in random.integers(0, len(words), steps)]
        missing = random.random(steps) < 0.3
        columns.append([None if gone else one for gone, one in zip(missing, column, strict=True)])
    columns[0][0] = columns[0][0] or (0.5 if card.scaler.unit_interval else 20.0)
    if card.channels[0] in card.vocabulary.categories:
        columns[0][0] = card.vocabulary.categories[card.channels[0]][0]
    if len(columns) == 1 and seed % 2:
        return columns[0]
    return [list(row) for row in zip(*columns, strict=True)]


def requests(card: Card) -> Iterator[tuple[dict[str, Any], str]]:
    """Requests for everything that a model can answer with, and what they accept."""
    label = card.vocabulary.classes[0] if card.model.conditional else None
    names = [name for name, output in OUTPUTS.items() if output.axis is not Axis.EVENT]
    bands = any(size == 0 for size in card.scaler.categories)
    asked = [[name] for name in names if bands or name != "band"]
    asked += [["latent", "score"], ["reconstruction", "point_scores"], ["score", "contributions"]]
    for accept in ACCEPTED:
        for seed, output in enumerate(asked):
            for many in (False, True):
                lengths = (23, 23) if many else (23,)
                given = [series(card, length, seed + 7 * i) for i, length in enumerate(lengths)]
                start = np.datetime64("2026-01-31T23:59:59.5")
                times = [str(start + np.timedelta64(i, "h")) for i in range(23)]
                fields: dict[str, Any] = {"output": output, "stride": 3}
                if seed % 3 == 0 or card.model.time.calendar:
                    fields["timestamps"] = [times] * 2 if many else times
                if label is not None:
                    fields["label"] = [label] * 2 if many else label
                if seed % 2:
                    fields["adapt"] = 0.1
                yield fields | ({"instances": given} if many else {"data": given[0]}), accept
        about = {} if label is None else {"label": label}
        yield {"task": "sample", "count": 12, "seed": 2**53 - 1, **about}, accept
        latent = np.random.default_rng(0).normal(size=(3, card.model.latent)).tolist()
        yield {"task": "decode", "latent": latent, **about}, accept


def test_an_answer_has_a_size_that_was_known_before(model: tuple[Service, Card]) -> None:
    service, card = model
    answered = 0
    for fields, accept in requests(card):
        request = Request(json.dumps(fields).encode(), accept=accept)
        (reply,) = service.answer([request])
        if reply.status != 200:  # the format cannot hold it
            assert json.loads(reply.body)["field"] == "output"
            continue
        answered += 1
        content = decode(request)
        size = content.answer_format.answer_size(validate(content, card), card)
        assert size.least <= len(reply.body) <= size.most, (fields, accept)
        exact = accept == NPY and fields.get("output") != ["contributions"]
        assert not exact or size.least == size.most == len(reply.body)
    assert answered > 20


def test_an_answer_in_tensors_has_a_size_that_was_known_before(
    model: tuple[Service, Card],
) -> None:
    service, card = model
    shape = [2, 23, len(card.channels)]
    values = np.random.default_rng(0).random(shape)
    values = np.where(np.array(card.scaler.categories) > 0, np.ceil(values), values)
    values += 0 if card.scaler.unit_interval else 15 * (np.array(card.scaler.categories) == 0)
    inputs: list[dict[str, Any]] = [
        {"name": "all", "shape": shape, "datatype": "FP64", "data": values.ravel().tolist()}
    ]
    if card.model.conditional:
        words = [card.vocabulary.classes[0]] * 2
        inputs.append({"name": "label", "shape": [2], "datatype": "BYTES", "data": words})
    if card.model.time.calendar:
        times = [f"2026-01-01T{hour:02}:00" for hour in range(23)] * 2
        inputs.append({"name": "timestamps", "shape": [2, 23], "datatype": "BYTES", "data": times})
    for name, output in OUTPUTS.items():
        if output.axis is Axis.EVENT or (name == "band" and not card.bands.largest_quantile):
            continue
        for tensors in (None, [{"name": output.fields[0].name}]):
            fields: dict[str, Any] = {"inputs": inputs, "parameters": {"stride": 3}, "id": "17"}
            if tensors is None:
                fields["parameters"]["output"] = [name]
            else:
                fields["outputs"] = tensors
            request = Request(json.dumps(fields).encode())
            (reply,) = service.answer([request])
            assert reply.status == 200, reply.body
            content = decode(request)
            size = content.answer_format.answer_size(validate(content, card), card)
            assert size.least <= len(reply.body) <= size.most
            assert size.least > len(reply.body) / 7 - 200


def test_an_event_has_a_size_that_was_known_before(model: tuple[Service, Card]) -> None:
    service, card = model
    for fields, accept in requests(card):
        if accept == NPY or "output" not in fields or fields["output"] != ["score"]:
            continue
        fields = {k: v for k, v in fields.items() if k != "adapt"}
        fields |= {"output": ["events"], "threshold": -1e9, "gap": 0, "stride": 50}
        request = Request(json.dumps(fields).encode(), accept=accept)
        (reply,) = service.answer([request])
        assert reply.status == 200, reply.body
        content = decode(request)
        query = validate(content, card)
        rest = content.answer_format.answer_size(query, card)
        event = content.answer_format.event_size(card)
        count = len(query.inputs.series)  # each is one event
        assert rest.least + event.least * count <= len(reply.body)
        assert len(reply.body) <= rest.most + event.most * count


def test_values_are_counted_by_their_axes() -> None:
    card = KINDS["categories"]
    data = [[20.0, "on"]] * 30
    fields = {"output": ["score", "contributions", "reconstruction"], "stride": 5}
    query = parse(body(data=data, **fields), card)
    windows = 6
    found = {one.name: one for one in result_values(query, card, words=False)}
    assert (found["score"].kind, found["score"].count) == (Kind.FLOAT64, windows)
    assert (found["is_anomaly"].kind, found["is_anomaly"].count) == (Kind.FLAG, windows)
    assert found["contributions"].count == windows * 8 * 2
    assert found["threshold"].count == found["drift"].count == 1
    assert found["reconstruction"].count == 30 * 2
    output = OUTPUTS["reconstruction"]
    numbers, words = field_values(output, output.fields[0], query, card, words=True)
    assert (numbers.kind, words.kind) == (Kind.FLOAT64, Kind.TEXT)
    assert words.texts == (None, "off", "on", "3")
    adaptive = parse(body(data=data, adapt=0.1, **fields), card)
    found = {one.name: one for one in result_values(adaptive, card, words=False)}
    assert found["threshold"].count == found["drift"].count == windows
    query = parse(body(task="sample", count=7), card)
    (instances,) = sample_values(query, card, words=False)
    assert instances.count == 7 * 8 * 2


def test_what_is_certain_to_be_too_large_is_refused_before_it_is_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card = KINDS["numbers"]
    engine = untrained_engine(card)
    service = Service(engine, "any", "1.0", Limits(response_bytes=3000))

    def never(*_: Any) -> None:
        raise AssertionError("it was computed")

    for name in ("analyse", "encode", "decode", "prior"):
        monkeypatch.setattr(engine, name, never)
    data, latent = [20.0] * 1000, [[0.0] * card.model.latent] * 200
    for fields in (
        {"data": data, "stride": 500, "output": ["reconstruction"]},
        {"data": data, "stride": 500, "output": ["point_scores", "band"]},
        {"data": data, "output": ["latent"]},
        {"task": "sample", "count": 200},
        {"task": "decode", "latent": latent},
    ):
        for accept in ACCEPTED:
            (reply,) = service.answer([Request(json.dumps(fields).encode(), accept=accept)])
            error = json.loads(reply.body)
            if fields.get("output") == ["point_scores", "band"] and accept == NPY:
                continue  # it holds one array
            assert (reply.status, error["field"]) == (422, "output"), (fields, accept)
            assert "over the limit of 3000" in error["message"]


def test_points_are_limited_where_a_stride_leaves_few_windows() -> None:
    """And before the model runs, whatever the answer is to hold."""
    card = KINDS["categories"]  # a number, and one of three categories
    service = Service(untrained_engine(card), "any", "1.0", Limits(values=4 * 1000))
    for steps, status in ((1000, 200), (1001, 422)):
        fields = {"data": [[20.0, "on"]] * steps, "stride": 10**6, "output": ["score"]}
        (reply,) = service.answer([Request(json.dumps(fields).encode())])
        assert reply.status == status
    error = json.loads(reply.body)
    assert error["field"] == "body" and "1001 steps with 4004 values" in error["message"]


def test_events_are_counted_before_they_are_located() -> None:
    card = KINDS["numbers"]
    service = Service(untrained_engine(card), "any", "1.0", Limits(response_bytes=4000))
    fields = {"output": ["events"], "threshold": -1e9, "gap": 0, "stride": 20}
    for steps, status in ((100, 200), (2000, 422)):
        body = json.dumps({"data": [20.0] * steps, **fields}).encode()
        (reply,) = service.answer([Request(body)])
        assert reply.status == status, reply.body
    error = json.loads(reply.body)
    assert error["field"] == "output" and "there are 101 events" in error["message"]
