"""Who has a key is answered, and nobody else."""

import json
from collections.abc import Mapping

import pytest

from tests.support.composition import Composition
from tests.support.exchanges import JSON, Answer, ask
from tests.support.fault_models import PATH, WINDOW
from tests.support.proxied import Proxied
from tests.support.waiting import wait_for

pytestmark = pytest.mark.docker


def asked(service: Proxied, headers: Mapping[str, str], path: str = PATH) -> Answer:
    """An answer to these headers alone."""
    return ask(service.address, path, WINDOW, {**JSON, **headers}, tls=service.tls)


@pytest.mark.parametrize(
    "said",
    [None, "", "Bearer", "Bearer ", "Bearer x", "Basic {key}", "{key}", "Bearer {key}x"],
)
def test_without_a_key_nothing_is_answered(service: Proxied, said: str | None) -> None:
    headers = {} if said is None else {"Authorization": said.format(key=service.key)}
    answer = asked(service, headers)
    assert answer.status == 401 and answer.headers["www-authenticate"].startswith("Bearer")
    assert json.loads(answer.body)["code"] == 401


def test_a_key_holds_until_it_is_revoked_and_others_stay(
    composition: Composition, service: Proxied
) -> None:
    key = composition.script("keys.sh", "add", "passing").split()[-1]
    theirs = {"Authorization": f"Bearer {key}"}
    composition.run("exec", "-T", "proxy", "reload")
    wait_for(lambda: asked(service, theirs).status == 200)
    composition.script("keys.sh", "revoke", "passing")  # which the proxy notices by itself
    wait_for(lambda: asked(service, theirs).status == 401)
    assert service.ask(body=WINDOW).status == 200


@pytest.mark.parametrize("path", ["/ping", "/v2/health/live", "/v2/health/ready"])
def test_readiness_is_told_to_anybody(service: Proxied, path: str) -> None:
    answer = ask(service.address, path, headers={}, method="GET", tls=service.tls)
    assert answer.status == 200
    assert b"/" not in answer.body, "it tells paths"


def test_what_is_said_without_tls_is_refused(service: Proxied) -> None:
    answer = ask(service.address, PATH, WINDOW, JSON | service.credentials)
    assert answer.status in (0, 400)


def test_logs_name_the_client_and_not_its_key(composition: Composition, service: Proxied) -> None:
    assert service.ask(body=WINDOW).status == 200
    said = composition.engine.run("logs", composition.container("proxy"))
    text = said.stdout + said.stderr
    assert "tests" in text
    assert service.key not in text
