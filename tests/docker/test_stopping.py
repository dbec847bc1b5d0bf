"""A server that is told to stop answers what it was asked."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.composition import Composition
from tests.support.exchanges import JSON, ask_at_once
from tests.support.fault_models import EXPENSIVE, PATH
from tests.support.proxied import Proxied
from tests.support.server_metrics import total
from tests.support.waiting import wait_for

pytestmark = pytest.mark.docker

REQUESTS = 6


def test_requests_under_way_are_answered(
    composition: Composition, service: Proxied, row: Callable[[str], None]
) -> None:
    container = composition.container("server")
    bodies = [EXPENSIVE] * REQUESTS

    def asked() -> float:
        return total(composition, "rvae_gateway_forwarded_requests") + total(
            composition, "rvae_gateway_waiting_requests"
        )

    with ThreadPoolExecutor(1) as pool:
        headers = JSON | service.credentials
        answers = pool.submit(ask_at_once, service.address, PATH, bodies, headers, tls=service.tls)
        wait_for(lambda: asked() >= REQUESTS - 1)
        composition.run("stop", "server")
        statuses = [answer.status for answer in answers.result()]
    state = composition.facts(container)["State"]
    composition.run("up", "--detach")
    row(f"| stop with {REQUESTS} requests under way: {statuses} | | | | | | | |")
    assert statuses == [200] * REQUESTS
    assert state["ExitCode"] == 0 and not state["OOMKilled"]
