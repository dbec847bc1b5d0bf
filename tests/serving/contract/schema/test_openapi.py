"""docs/openapi.yaml, and the schemas in it, held against the service without a server."""

import json
from collections.abc import Callable
from itertools import product
from typing import Any

import jsonschema_rs
import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from schemathesis import Case
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.definitions import OPENAPI_31

from rvae.inference.card import Card
from rvae.serving.contract.options import SERIES_FIELDS, TASK_FIELDS, Options
from rvae.serving.contract.outputs import OUTPUTS
from rvae.serving.contract.schema.openapi import main
from rvae.serving.contract.schema.parts import FAULTS
from rvae.serving.contract.schema.protocol_paths import protocol_paths
from rvae.serving.contract.schema.request_schema import request_schema
from rvae.serving.gateway.paths import METHODS, place_of
from rvae.serving.service import Limits, Service
from tests.support.openapi_document import DOCUMENT, PATH, of_model, only_json, schema_named
from tests.support.service_client import answer_to
from tests.support.untrained import KINDS, untrained_engine

SCHEMAS = DOCUMENT["components"]["schemas"]


class Model:
    """A service of one kind of model, and which requests its schema takes."""

    def __init__(self, card: Card) -> None:
        self.card = card
        self.service = Service(untrained_engine(card), "any", "1.0", Limits())
        self.example = json.loads(self.service.describe().body)["example"]
        self.takes = jsonschema_rs.Draft202012Validator(request_schema(card)).is_valid

    def several(self) -> dict[str, Any]:
        """The example as two instances."""
        fields = {name: [value] * 2 for name, value in self.example.items() if name != "data"}
        return {"instances": [self.example["data"]] * 2} | fields

    def columns(self) -> dict[str, Any]:
        rows = [row if type(row) is list else [row] for row in self.example["data"]]
        columns = dict(zip(self.card.channels, map(list, zip(*rows, strict=True)), strict=True))
        return {k: v for k, v in self.example.items() if k != "data"} | {"columns": columns}

    def label(self) -> dict[str, Any]:
        return {name: self.example[name] for name in ("label",) if name in self.example}

    def answer(self, body: Any, shape: str) -> Any:
        """The answer to a body, which has to have a shape."""
        status, answer = answer_to(self.service, body)
        assert status == 200, (answer, body)
        schema_named(shape).validate(answer)
        return answer


@pytest.fixture(scope="module", params=list(KINDS.values()), ids=list(KINDS))
def model(request: pytest.FixtureRequest) -> Model:
    return Model(request.param)


def test_the_file_is_what_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    assert capsys.readouterr().out == PATH.read_text()


def test_the_file_is_openapi() -> None:
    jsonschema_rs.validator_for(OPENAPI_31).validate(DOCUMENT)
    for name, schema in SCHEMAS.items():
        assert jsonschema_rs.meta.is_valid(schema), name
        schema_named(name)  # whose references lead somewhere
    assert "title" not in SCHEMAS["Fault"]["properties"]["message"]


def test_the_paths_of_the_open_inference_protocol_are_those_of_the_gateway() -> None:
    for path, methods in protocol_paths().items():
        place = place_of(path.format(model="m", version="1.0"))
        assert place is not None, path
        assert ("{model}" in path, "{version}" in path) == (bool(place.model), bool(place.version))
        (said,) = methods.keys() - {"parameters"}
        assert said.upper() in METHODS[place.question]
    infer = DOCUMENT["paths"]["/v2/models/{model}/infer"]["post"]["responses"]
    assert infer.keys() == {"200", *map(str, FAULTS)}


def test_every_field_task_and_output_is_there() -> None:
    request = request_schema()
    variants = [
        one
        for schema in (request, request["$defs"]["scoring"])
        for one in schema["anyOf"]
        if "properties" in one
    ]
    forms = {*SERIES_FIELDS, "latent"}
    for task, fields in TASK_FIELDS.items():
        of_task = [one for one in variants if task in one["properties"]["task"]["enum"]]
        assert of_task
        for one in of_task:
            there = one["properties"].keys() - {"task"}
            assert there - forms == set(fields) - forms
            assert len(there & forms) == bool(forms & set(fields))
    assert {name for one in variants for name in one["properties"]} == set(Options.model_fields)
    assert set(request["$defs"]["output"]["anyOf"][0]["items"]["enum"]) == set(OUTPUTS)


def test_the_examples_are_requests() -> None:
    for name in ("predict", "explain"):
        content = DOCUMENT["components"]["requestBodies"][name]["content"]["application/json"]
        validator = jsonschema_rs.Draft202012Validator(
            {**content["schema"], "components": DOCUMENT["components"]}
        )
        for example in content["examples"].values():
            validator.validate(example["value"])
    header = DOCUMENT["components"]["parameters"]["options"]["content"]["application/json"]
    schema_named("options").validate(header["example"])


def test_a_model_says_of_itself_what_the_file_says(model: Model) -> None:
    described = json.loads(model.service.describe().body)
    schema_named("Description").validate(described)

    def has_null(value: Any) -> bool:
        match value:
            case dict():
                return any(one is None or has_null(one) for one in value.values())
            case list():
                return any(map(has_null, value))
        return False

    assert not has_null({k: v for k, v in described["card"].items() if k != "request"})


def test_every_answer_has_the_form_of_the_file(model: Model) -> None:
    one, many = model.example, model.several()
    bodies = [(one, "Prediction"), (model.columns(), "Prediction"), (many, "Predictions")]
    for (body, shape), output in product(bodies, OUTPUTS):
        model.answer(body | {"output": [output]}, shape)
    for (body, shape), task in product(bodies, ("score", "encode", "reconstruct")):
        answer = model.answer(body | {"task": task}, shape)
    everything = {"output": list(OUTPUTS), "threshold": -1e9}
    times = {"timestamps": [f"2026-02-{day:02}" for day in range(1, 9)]}
    (event,) = model.answer(one | everything | times, "Prediction")["events"]
    assert "start_time" in event
    model.answer(one | {"adapt": 0.05}, "Prediction")
    drawn = model.answer({"task": "sample", "count": 2} | model.label(), "Drawing")
    latent = {"task": "decode", "latent": drawn["latent"]}
    answer = model.answer(latent | model.label(), "Drawing")
    assert "seed" in drawn and "seed" not in answer


def test_tensors_are_answered_in_the_form_of_the_file(model: Model) -> None:
    rows = [row if type(row) is list else [row] for row in model.example["data"]] * 2
    words = model.card.vocabulary.categories
    inputs = [
        {
            "name": name,
            "shape": [2, 8],
            "datatype": "BYTES" if name in words else "FP64",
            "data": [row[i] for row in rows],
        }
        for i, name in enumerate(model.card.channels)
    ]
    if "timestamps" in model.example:
        times = [model.example["timestamps"]] * 2
        inputs.append({"name": "timestamps", "shape": [2, 8], "datatype": "BYTES", "data": times})
    if "label" in model.example:
        kinds = [model.example["label"]] * 2
        inputs.append({"name": "label", "shape": [2], "datatype": "BYTES", "data": kinds})
    for output in set(OUTPUTS) - {"events"}:
        body = {"id": "seven", "inputs": inputs, "parameters": {"output": [output]}}
        schema_named("InferenceRequest").validate(body)
        answer = model.answer(body, "InferenceAnswer")
        assert {one["name"] for one in answer["outputs"]} == {
            "starts",
            *(field.name for field in OUTPUTS[output].fields),
        }
    sample = {"inputs": [], "parameters": {"task": "sample"} | model.label()}
    model.answer(sample, "InferenceAnswer")


def test_every_error_has_the_form_of_the_file() -> None:
    engine = untrained_engine(KINDS["numbers"])
    service = Service(engine, "any", "1.0", Limits())
    fault = schema_named("Fault")
    good = {"data": [20.0] * 32}
    cases: tuple[tuple[int, Any, dict[str, Any]], ...] = (
        (400, b"{", {}),
        (406, good, {"accept": "image/png"}),
        (415, good, {"content_type": "image/png"}),
        (422, {"data": []}, {}),
        (422, {"inputs": []}, {}),
        (503, good, {}),
    )
    for expected, body, header in cases:
        if expected == 503:
            service = Service(engine, "any", "1.0", Limits(seconds=0.0))
        status, error = answer_to(service, body, **header)
        assert status == expected
        fault.validate(error)
        assert f"{status}" in DOCUMENT["paths"]["/predictions/{model}"]["post"]["responses"]


def test_what_the_schema_of_a_model_takes_the_model_takes(model: Model) -> None:
    """And the other way round, of requests that people write."""
    one, columns, many = model.example, model.columns(), model.several()
    right = [one, columns, many]
    right += [one | {"stride": stride} for stride in (1, 3.0, None)]
    right += [one | {"threshold": 1, "quantile": None}, one | {"quantile": 0.5, "adapt": 0}]
    right += [one | {"alarms": "1 per 800 steps", "adapt": 0, "quantile": None}]
    right += [one | {"output": ["events"], "gap": 0}, one | {"columns": None, "latent": None}]
    right += [one | {"task": None}, many | {"task": "encode", "stride": 2}]
    zeros = [0.0] * model.card.model.latent
    drawing = [{"task": "sample"}, {"task": "sample", "count": 2, "seed": 2**53 - 1}]
    drawing += [{"task": "decode", "latent": [zeros, zeros]}]
    right += [body | model.label() for body in drawing]
    for body in right:
        assert model.takes(body), body
        assert answer_to(model.service, body)[0] == 200, body
    wrong = [{}, one | many, one | columns, one | {"other": 1}, one | {"latent": [zeros]}]
    wrong += [one | {"data": one["data"][:-1]}, one | {"data": []}, one | {"data": "20"}]
    wrong += [one | {"data": [None] * 8}, one | {"data": [{}] * 8}, one | {"data": [[]] * 8}]
    wrong += [one | {"data": [*one["data"][:7], [1e300] * len(model.card.channels)]}]
    wrong += [columns | {"columns": {}}, columns | {"columns": columns["columns"] | {"x": [1]}}]
    wrong += [columns | {"columns": dict.fromkeys(model.card.channels, [None] * 8)}]
    wrong += [many | {"instances": []}, many | {"instances": many["instances"][0]}]
    for name in ("timestamps", "label"):
        if name in one:
            wrong += [{k: v for k, v in body.items() if k != name} for body in (one, many)]
            wrong += [one | {name: many[name]}, many | {name: one[name]}, one | {name: None}]
        wrong += [one | {name: {}}, one | {name: True}]
    wrong += [one | {"stride": stride} for stride in (0, 1.5, "1", True, 10**10)]
    wrong += [one | {"quantile": quantile} for quantile in (0, 1, -1, "0.5", 0.9999)]
    wrong += [one | {"alarms": alarms} for alarms in ("", "weekly", "0 per day", "١ per day", 1)]
    wrong += [one | {"alarms": "1 per 800 steps", name: 0.5} for name in ("quantile", "threshold")]
    wrong += [one | {"adapt": adapt} for adapt in (-0.1, 0.2, "0")]
    wrong += [one | {"threshold": 1, "quantile": 0.5}, one | {"threshold": 1, "adapt": 0}]
    wrong += [one | {"output": output} for output in ([], ["all"], "score", ["score"] * 2)]
    wrong += [one | {"gap": 1}, one | {"gap": 1, "output": ["score"]}, one | {"gap": -1}]
    wrong += [one | {"task": task} for task in ("Score", "decode", "sample", 1)]
    wrong += [one | {"task": "encode", "output": ["score"]}, one | {"count": 1}, one | {"seed": 1}]
    drawing = [{"task": "decode"}, {"task": "decode", "latent": []}]
    drawing += [{"task": "decode", "latent": [row]} for row in (zeros[1:], [*zeros, 0], ["0"] * 3)]
    drawing += [{"task": "decode", "latent": [[1e7] * len(zeros)]}]
    drawing += [
        {"task": "sample", name: value} for name in ("count", "seed") for value in (-1, "1")
    ]
    wrong += [body | model.label() for body in drawing]
    for body in wrong:
        assert not model.takes(body), body
        assert answer_to(model.service, body)[0] == 422, body


def mended(body: Any, card: Card) -> Any:
    """A request with what no schema can say: times that rise, and as many of all as there are.

    A rate of alarms becomes one that the calibration carries.
    """

    def whole(value: Any) -> Any:
        match value:
            case dict():
                return {key: whole(one) for key, one in value.items()}
            case list():
                return [whole(one) for one in value]
            case float():
                return int(value) if value.is_integer() else value
        return value

    body = whole(body)
    if body.get("columns") is not None:
        least = min(map(len, body["columns"].values()))
        body["columns"] = {name: one[:least] for name, one in body["columns"].items()}
        assume(any(value is not None for one in body["columns"].values() for value in one))
    series = body.get("instances") or [
        body.get("data") or next(iter((body.get("columns") or {"": []}).values()))
    ]
    beside = {
        "timestamps": [
            (np.datetime64("2026-01-01", "s") + np.arange(len(one)) * 3600).astype(str).tolist()
            for one in series
        ],
        "label": [card.vocabulary.classes[0] if card.vocabulary.classes else None] * len(series),
    }
    for name, values in beside.items():
        if body.get(name) is not None:
            body[name] = values if body.get("instances") else values[0]
    if body.get("alarms") is not None:
        body["alarms"] = "1 per 800 steps"
    if body.get("count") is not None:
        body["count"] = min(body["count"], 100)
    return body


def generated(model: Model, mode: GenerationMode) -> Callable[[Callable[[Any], None]], None]:
    """Requests that fit the schema of a model, or do not."""
    schema = schemathesis.openapi.from_dict(only_json(of_model(model.card)))
    cases = schema["/predictions/{model}"]["POST"].as_strategy(generation_mode=mode)

    def run(check: Callable[[Any], None]) -> None:
        check = given(cases)(check)
        check = settings(
            max_examples=25,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )(check)
        seed(0)(check)()

    return run


def test_whatever_fits_the_schema_is_answered(model: Model) -> None:
    @generated(model, GenerationMode.POSITIVE)
    def check(case: Case[Any]) -> None:
        body = mended(case.body, model.card)
        status, answer = answer_to(model.service, body)
        assert status == 200, (answer, body)
        task = body.get("task") or "score"
        series = "Predictions" if body.get("instances") else "Prediction"
        schema_named("Drawing" if task in ("sample", "decode") else series).validate(answer)


def test_whatever_does_not_fit_the_schema_is_refused(model: Model) -> None:
    @generated(model, GenerationMode.NEGATIVE)
    def check(case: Case[Any]) -> None:
        assume(isinstance(case.body, dict | list) and not model.takes(case.body))
        status, error = answer_to(model.service, json.dumps(case.body).encode())
        assert status in (400, 422), case.body
        schema_named("Fault").validate(error)
