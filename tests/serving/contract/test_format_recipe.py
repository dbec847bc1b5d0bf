"""A new format is one class and one line of the registry: everything else reads the registry."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.errors import require
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from rvae.serving.contract.formats import FORMATS
from rvae.serving.contract.formats.format import Checked, Format, ServedModel
from rvae.serving.contract.formats.json_text import dump_json, header_options, load_json
from rvae.serving.contract.inputs.arrays import array_input
from rvae.serving.contract.messages import Request
from rvae.serving.contract.options import Options
from rvae.serving.contract.outputs.output import Axis, Output
from rvae.serving.contract.query import Query
from rvae.serving.contract.results import Samples, SeriesResult
from rvae.serving.contract.schema.openapi import openapi
from rvae.serving.contract.sizes import Span
from rvae.serving.service import Limits, Service

LINES = "application/x-ndjson"


class JsonLines(Format):
    """A line of JSON per step in requests, per window in answers."""

    media_type = LINES
    aliases = ("application/jsonl",)
    magic = (b"\x1e",)  # a record separator, as in RFC 7464
    decode_bytes_per_byte = 40
    schema: ClassVar = {"type": "string", "description": "A line of JSON per step or window."}

    def decode(self, body: Any, request: Request) -> tuple[dict[str, Any], NDArray[np.float64]]:
        rows = [load_json(line.lstrip(b"\x1e"), "body") for line in bytes(body).split(b"\n")]
        return header_options(request), np.array(rows, dtype=np.float64)

    def validate(self, fields: dict[str, Any], payload: Any, card: Card) -> Checked:
        options = Options.parse_without_values(fields)
        return Checked(options, array_input(payload, options, card))

    def require_outputs(self, outputs: tuple[Output, ...], tensors: tuple[str, ...] | None) -> None:
        alike = all(output.axis is Axis.WINDOW for output in outputs)
        require(alike, "output", "lines are of windows: accept another format")

    def answer_size(self, query: Query, card: Card) -> Span:
        return Span(query.count if query.generates else query.windows(card), 1 << 30)

    def encode_results(
        self, results: Sequence[SeriesResult], query: Query, model: ServedModel
    ) -> bytes:
        fields = [field.name for output in query.outputs for field in output.fields]
        return b"\n".join(
            dump_json({"start": start, **{name: _at(one.values[name], i) for name in fields}})
            for one in results
            for i, start in enumerate(one.starts.tolist())
        )

    def encode_samples(self, samples: Samples, query: Query, model: ServedModel) -> bytes:
        return b"\n".join(dump_json(window) for window in samples.windows)


def _at(values: NDArray[Any], window: int) -> Any:
    return values[window] if values.ndim else values.item()


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[JsonLines]:
    """The format among the others."""
    added = JsonLines()
    FORMATS.append(added)
    yield added
    FORMATS.remove(added)


@pytest.fixture
def service(engine: Engine) -> Service:
    return Service(engine, "waves", "1.0", Limits())


def ask(service: Service, body: bytes, **headers: Any) -> tuple[int, str, bytes]:
    (reply,) = service.answer([Request(body, **headers)])
    return reply.status, reply.content_type, reply.body


def lines_of(series: NDArray[np.float64]) -> bytes:
    return b"\n".join(json.dumps(row).encode() for row in series.tolist())


@pytest.mark.parametrize("media_type", [LINES, "application/jsonl"])
def test_it_is_decoded_and_encoded(
    service: Service,
    engine: Engine,
    fresh: list[np.ndarray],
    registered: JsonLines,
    media_type: str,
) -> None:
    series = np.concatenate(fresh[:2])
    options = json.dumps({"stride": 16})
    status, content_type, body = ask(
        service, lines_of(series), content_type=media_type, options=options
    )
    assert (status, content_type) == (200, LINES)
    answers = [json.loads(line) for line in body.splitlines()]
    assert [one["start"] for one in answers] == [0, 16, 32]
    (analysis,) = engine.analyse([series], 16)
    np.testing.assert_allclose([one["score"] for one in answers], analysis.score, rtol=1e-6)
    assert {one["threshold"] for one in answers} == {engine.card.calibration.threshold()}


def test_it_is_recognised_by_its_first_bytes(
    service: Service, registered: JsonLines, fresh: list[np.ndarray]
) -> None:
    marked = b"\n".join(b"\x1e" + line for line in lines_of(fresh[0]).split(b"\n"))
    status, content_type, _ = ask(service, marked, content_type="text/plain")
    assert (status, content_type) == (200, LINES)
    assert ask(service, lines_of(fresh[0]), content_type="text/plain")[0] == 400  # read as JSON


def test_it_may_be_accepted_or_sent_for_another(
    service: Service, registered: JsonLines, fresh: list[np.ndarray]
) -> None:
    body = json.dumps({"data": fresh[0].tolist()}).encode()
    status, content_type, lines = ask(service, body, accept=LINES)
    assert (status, content_type) == (200, LINES)
    status, content_type, answer = ask(
        service, lines_of(fresh[0]), content_type=LINES, accept="application/json"
    )
    assert (status, content_type) == (200, "application/json")
    assert json.loads(lines)["score"] == pytest.approx(json.loads(answer)["score"][0], 1e-6)
    sample = json.dumps({"task": "sample", "count": 2}).encode()
    status, _, lines = ask(service, sample, accept=LINES)
    assert status == 200 and np.shape([json.loads(one) for one in lines.splitlines()]) == (2, 32, 1)


def test_its_errors_are_answered_like_those_of_others(
    service: Service, registered: JsonLines, fresh: list[np.ndarray]
) -> None:
    for body, options, status, field in (
        (b"[1\n2", None, 400, "body"),
        (lines_of(fresh[0][:5]), None, 422, "body"),
        (lines_of(fresh[0]), {"output": ["events"]}, 422, "output"),
        (lines_of(fresh[0]), {"stride": 0}, 422, "stride"),
        (lines_of(fresh[0]), {"data": [1]}, 422, "data"),
    ):
        header = None if options is None else json.dumps(options)
        got, _, error = ask(service, body, content_type=LINES, options=header)
        assert (got, json.loads(error)["field"]) == (status, field)


def test_it_is_unknown_until_it_is_registered(service: Service, fresh: list[np.ndarray]) -> None:
    assert ask(service, lines_of(fresh[0]), content_type=LINES)[0] == 415
    assert ask(service, b"{}", accept=LINES)[0] == 406


def test_it_is_in_the_document(registered: JsonLines) -> None:
    components = openapi()["components"]
    for body in (components["requestBodies"]["predict"], components["responses"]["explain"]):
        assert body["content"][LINES] == {"schema": JsonLines.schema}
