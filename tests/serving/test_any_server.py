"""Nothing of the contract is TorchServe's: its tests over HTTP again, with another server."""

import json
from collections.abc import Iterator

import pytest
import requests

from rvae.inference.engine import Engine
from rvae.serving.service import Limits, Service
from tests.serving.test_schemathesis import (  # noqa: F401
    test_what_is_asked_of_a_version_and_for_explanations,
    test_what_is_asked_of_any_model,
    test_what_is_asked_of_the_model_that_is_served,
    test_what_the_model_says_that_it_takes_is_answered,
)
from tests.serving.test_torchserve_formats import (  # noqa: F401
    expected,
    test_a_header_that_is_called_like_a_part,
    test_every_form_alone_and_all_in_one_batch,
    test_explanations_in_kind,
    test_what_is_wrong_is_said,
)
from tests.serving.torchserve.test_server import (  # noqa: F401
    test_answers_equal_the_engine_one_by_one_at_once_and_in_batches,
    test_bad_requests_are_told_what_is_wrong_and_harm_no_worker,
    test_keep_alive_connections_serve_many_requests,
    test_long_series,
    test_one_bad_request_among_31_good_ones,
    test_versions,
)
from tests.support.asgi import AsgiServer, ServiceApp, served
from tests.support.openapi_document import schema_named


@pytest.fixture(scope="module")
def services(engine: Engine) -> dict[str, Service]:
    """Versions of one model, of which the first is the default."""
    return {version: Service(engine, "waves", version, Limits()) for version in ("1.10", "1.0")}


@pytest.fixture(scope="module")
def server(services: dict[str, Service]) -> Iterator[AsgiServer]:
    """What the tests above ask, in place of TorchServe."""
    with served(ServiceApp({"waves": services})) as running:
        yield running


@pytest.fixture(scope="module")
def examples() -> int:
    """Fewer than where the contract itself is tried."""
    return 20


def test_a_model_describes_itself(server: AsgiServer, services: dict[str, Service]) -> None:
    answer = requests.get(f"{server.url}/models/waves", timeout=30)
    schema_named("Description").validate(answer.json())
    assert answer.json() == json.loads(services["1.10"].describe().body)
    answer = requests.get(f"{server.url}/predictions/waves/1.0", timeout=30)
    schema_named("PublicDescription").validate(answer.json())
    assert answer.json() == json.loads(services["1.0"].describe_publicly().body)


@pytest.mark.parametrize("path", ["predictions/nobody", "predictions/waves/9.9", "models/nobody"])
def test_what_is_not_served_is_said(server: AsgiServer, path: str) -> None:
    answer = requests.post(f"{server.url}/{path}", data=b"{}", timeout=30)
    schema_named("Fault").validate(answer.json())
    assert answer.status_code == 404
