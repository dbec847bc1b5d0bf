"""A real server held against docs/openapi.yaml, with data that fits it and data that does not."""

import http.client
import json
import warnings
from collections import Counter
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.errors import SerializationNotPossible
from schemathesis.engine import events, from_schema

from rvae.inference.engine import Engine
from rvae.serving.service import Limits, Service
from rvae.serving.torchserve import Endpoint
from rvae.serving.unix_http import UnixSession
from tests.support.forwarding import forwarded
from tests.support.openapi_document import DOCUMENT, of_model, only_json, schema_named

PHASES = ("examples", "coverage", "fuzzing", "stateful")

# Of management only one method is in the document, and other servers may do more than one with a
# path. What the gateway refuses has a test of its own.
EXCLUDED = ["unsupported_method"]
# Of bodies for error messages, however large they are.
EXPENSIVE = "Generating overly large repr"
# No schema of every model can say how long the window of this one is, nor that a header is for
# other kinds of bodies than JSON.
UNTOLD = [*EXCLUDED, "positive_data_acceptance"]


@pytest.fixture(scope="module")
def examples() -> int:
    """How many requests are made up for each operation."""
    return 60


def checked(
    about: tuple[dict[str, Any], str, list[str]],
    excluded: list[str],
    examples: int,
    phases: tuple[str, ...] = PHASES[:3],
    mode: str = "all",
    methods: tuple[str, ...] = (),
) -> Counter[int]:
    """How often each status came, in a run of all checks but some in which none failed.

    Args:
        about: The document, an address, and which operations are tried there.
        excluded: Checks that are not made.
        examples: How many requests are made up for each operation.
        phases: What is tried.
        mode: Whether what is tried fits the document.
        methods: Which are tried where the document has others.
    """
    config: dict[str, Any] = {
        "seed": 0,
        "parameters": {"path.model": "waves", "path.version": "1.0"},
        "generation": {"mode": mode, "max-examples": examples, "database": "none"},
        "phases": {name: {"enabled": name in phases} for name in PHASES},
        "checks": {name: {"enabled": False} for name in excluded},
        "suppress-health-check": ["all"],
    }
    config["phases"]["coverage"]["unexpected-methods"] = list(methods)
    document, address, operations = about
    loaded = schemathesis.openapi.from_dict(
        document, config=SchemathesisConfig.from_dict(config | {"base-url": address})
    )
    statuses: Counter[int] = Counter()
    failures: list[Any] = []
    warnings.filterwarnings("ignore", EXPENSIVE)  # pytest forgets it after the test
    for event in from_schema(loaded.include(operation_id=operations)).execute():
        match event:
            case events.ScenarioFinished(recorder=recorder):
                statuses.update(
                    one.response.status_code
                    for one in recorder.interactions.values()
                    if one.response is not None
                )
                failures += [
                    (check.name, check.failure_info.failure.message, check.failure_info.code_sample)
                    for checks in recorder.checks.values()
                    for check in checks
                    if check.failure_info is not None
                ]
            case events.NonFatalError(value=SerializationNotPossible()):
                pass  # it drew a body of Arrow, which it cannot write
            case events.NonFatalError(value=error) | events.FatalError(exception=error):
                raise error
    assert not failures, failures[0]
    return statuses


def sayable(document: dict[str, Any]) -> dict[str, Any]:
    """Of requests, those of which a schema can say that they are taken."""
    schemas = document["components"]["schemas"]
    # Times must be times and rise, what belongs to instances be as many, and rates of alarms be
    # within the calibration.
    for name in ("timestamps", "timestamps_of_instances", "label_of_instances", "alarms"):
        schemas[name] = {"type": "null"}
    schemas["count"]["anyOf"][0]["maximum"] = 1000  # more would be too much for an answer
    return only_json(document)


def test_what_is_asked_of_any_model(server: Endpoint, examples: int) -> None:
    statuses = checked((DOCUMENT, server.url, ["predict"]), UNTOLD, examples)
    assert statuses.keys() >= {400, 422} and sum(statuses.values()) > 500


def test_what_is_asked_of_a_version_and_for_explanations(server: Endpoint, examples: int) -> None:
    about = (DOCUMENT, server.url, ["predictWith", "explain"])
    statuses = checked(about, UNTOLD, examples, PHASES[2:3])
    assert statuses.keys() >= {400, 422}


def test_what_is_asked_by_the_open_inference_protocol(server: Endpoint, examples: int) -> None:
    about = (DOCUMENT, server.url, ["infer", "inferVersion"])
    statuses = checked(about, UNTOLD, examples)
    assert statuses.keys() >= {400, 422} and sum(statuses.values()) > 300
    read = ["serverMetadata", "live", "ready"]
    for operation in ("modelMetadata", "modelReady"):
        read += [operation, f"{operation}Version"]
    assert checked((DOCUMENT, server.url, read), EXCLUDED, 20, PHASES[:2]).keys() == {200}


def test_what_is_asked_of_the_model_that_is_served(
    server: Endpoint, engine: Engine, examples: int
) -> None:
    document = of_model(engine.card)
    about = (document, server.url, ["predict", "explain"])
    assert checked(about, UNTOLD, examples, PHASES[2:3])[200] > examples // 6


def test_what_the_model_says_that_it_takes_is_answered(
    server: Endpoint, engine: Engine, examples: int
) -> None:
    document = sayable(of_model(engine.card))
    about = (document, server.url, ["predict", "explain"])
    statuses = checked(about, EXCLUDED, examples, PHASES[1:3], "positive")
    assert statuses.keys() == {200} and statuses[200] > 100


def test_other_methods_are_refused_and_the_server_is_healthy(server: Endpoint) -> None:
    about = (DOCUMENT, server.url, ["predict", "ping", "ready", "infer"])
    others = ("GET", "PUT", "POST", "PATCH", "DELETE", "TRACE")
    statuses = checked(about, UNTOLD[1:], 1, PHASES[1:2], methods=others)
    assert statuses[405] >= 9 and statuses[200] >= 1


def test_what_the_model_says_of_itself(server: Endpoint) -> None:
    # TorchServe takes any word but `true` for false.
    excluded = [*EXCLUDED, "negative_data_rejection"]
    with forwarded(server.management) as address:
        statuses = checked((DOCUMENT, address, ["describe"]), excluded, examples=20)
    assert statuses.keys() == {200}
    about = (DOCUMENT, server.url, ["introduce", "introduceVersion"])
    assert checked(about, EXCLUDED, examples=20, phases=PHASES[:2]).keys() == {200}


def test_nothing_of_the_description_is_lost_on_its_way(server: Endpoint, engine: Engine) -> None:
    (told,) = (
        UnixSession(server.management)
        .get("http://localhost/models/waves", params={"customized": "true"}, timeout=30)
        .json()
    )
    schema_named("Registered").validate(told)
    service = Service(engine, "waves", told["modelVersion"], Limits())
    assert told["customizedMetadata"] == json.loads(service.describe().body)
    public = requests.get(f"{server.url}/predictions/waves", timeout=30).json()
    schema_named("PublicDescription").validate(public)
    assert public == json.loads(service.describe_publicly().body)


@pytest.mark.parametrize(
    ("path", "options", "status", "field"),
    [
        ("/predictions/nobody", "{}", 404, "model"),
        ("/predictions/waves/9.9", "{}", 404, "version"),
        ("/explanations/nobody", "{}", 404, "model"),
        ("/predictions/waves/%zz", "{}", 404, "path"),
        ("/v2/models/nobody/infer", "{}", 404, "model"),
        ("/v2/models/waves/versions/9.9/infer", "{}", 404, "version"),
        ("/v2/models/waves/load", "{}", 404, "path"),
        ("/predictions/waves", "x" * 9000, 431, "headers"),
    ],
)
def test_what_the_server_itself_answers(
    server: Endpoint, path: str, options: str, status: int, field: str
) -> None:
    address = urlsplit(server.url)
    with closing(http.client.HTTPConnection(address.netloc, timeout=30)) as connection:
        # It mends no path.
        connection.request("POST", path, b"{}", headers={"Rvae-Options": options})
        assert refused(connection.getresponse()) == (status, field)


def test_too_large_a_body_is_refused(server: Endpoint) -> None:
    address = urlsplit(server.url)
    with closing(http.client.HTTPConnection(address.netloc, timeout=30)) as connection:
        connection.request("POST", "/predictions/waves", b" " * 7_000_000)
        assert refused(connection.getresponse()) == (413, "body")


def refused(answer: http.client.HTTPResponse) -> tuple[int, str]:
    """Status and field of an error that the document knows."""
    content = json.loads(answer.read())
    schema_named("Fault").validate(content)
    assert str(answer.status) in DOCUMENT["paths"]["/predictions/{model}"]["post"]["responses"]
    assert content["code"] == answer.status
    return answer.status, content["field"]
