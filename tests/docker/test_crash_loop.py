"""Requests of one client end workers: it is found and locked out, and the version taken back."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.composition import Composition
from tests.support.fault_models import DEADLY, FRAGILE, NAME
from tests.support.handlers import with_handler
from tests.support.proxied import Proxied
from tests.support.proxied_load import ProxiedLoad
from tests.support.server_metrics import total
from tests.support.waiting import wait_for

pytestmark = pytest.mark.docker

# That by which RvaeWorkersEnd fires.
ENDS = "rvae_lost_workers_total"


@pytest.fixture
def fragile(put_into_store: Callable[[Path], str], shop: Path) -> str:
    """The path in containers of version 4.0, whose workers cannot take every value."""
    return put_into_store(with_handler(shop / f"{NAME}-2.0.mar", "4.0", FRAGILE))


def clients_that_got(composition: Composition, status: int) -> set[str]:
    """By the log of the proxy."""
    said = composition.run("logs", "--no-color", "--tail", "2000", "proxy")
    lines = [line[line.index("{") :] for line in said.splitlines() if "{" in line]
    return {one["client"] for one in map(json.loads, lines) if one["status"] == status}


def test_who_ends_workers_is_found_and_locked_out(
    composition: Composition, service: Proxied, fragile: str, row: Callable[[str], None]
) -> None:
    """As the runbook has it; the others lose nothing."""
    key = composition.script("keys.sh", "add", "hostile").split()[-1]
    composition.run("exec", "-T", "proxy", "reload")
    hostile = replace(service, key=key)
    before = total(composition, ENDS)
    restarts = composition.inspect("server")["RestartCount"]
    print(composition.manage("rollout", NAME, fragile))
    with ProxiedLoad(service) as load:
        load.await_answers()
        for _ in range(3):
            assert hostile.ask(body=DEADLY).status == 500
        wait_for(lambda: total(composition, ENDS) >= before + 3)
        assert clients_that_got(composition, 500) == {"hostile"}
        load.await_answers()
    row(load.row("a client ends workers"))
    assert load.lost == 0, load.retried
    assert set(load.plain) == {"200"}, load.plain
    assert composition.inspect("server")["RestartCount"] == restarts
    # Apart from the load: a reload may close a connection that a client keeps.
    composition.script("keys.sh", "revoke", "hostile")
    composition.run("exec", "-T", "proxy", "reload")
    assert hostile.ask(body=DEADLY).status == 401
    composition.manage("rollback", NAME)
    assert "4.0" not in composition.manage("models")
