"""Two servers behind one proxy: the same commands reach both, and one may end."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.composition import Composition
from tests.support.fault_models import NAME
from tests.support.proxied import Proxied
from tests.support.proxied_load import ProxiedLoad
from tests.support.server_metrics import total
from tests.support.waiting import wait_for

pytestmark = pytest.mark.docker

BACK = 180  # seconds
ANSWERS = "rvae_requests_total"


@pytest.fixture(scope="module")
def both(composition: Composition, service: Proxied) -> Iterator[list[str]]:
    """Two servers that are ready and both asked."""
    composition.run("up", "--detach", "--scale=server=2")
    servers = composition.containers("server")
    assert len(servers) == 2
    wait_for(lambda: all(_is_healthy(composition, one) for one in servers), BACK)
    yield servers
    composition.run("up", "--detach", "--scale=server=1")
    wait_for(service.is_ready, BACK)


def _is_healthy(composition: Composition, server: str) -> bool:
    state = composition.facts(server)["State"]
    return bool(state["Running"]) and state["Health"]["Status"] == "healthy"


def test_both_are_asked(composition: Composition, service: Proxied, both: list[str]) -> None:
    before = {one: total(composition, ANSWERS, one) for one in both}
    with ProxiedLoad(service) as load:
        load.await_answers(200)
    assert load.lost == 0 and set(load.plain) == {"200"}
    for one in both:
        assert total(composition, ANSWERS, one) > before[one]


def test_a_rollout_reaches_both(
    composition: Composition,
    service: Proxied,
    both: list[str],
    second: str,
    row: Callable[[str], None],
) -> None:
    with ProxiedLoad(service) as load:
        load.await_answers()
        print(composition.manage("rollout", NAME, second))
        before = load.versions["1.0"]
        load.await_answers(200)
        assert load.versions["1.0"] == before
        print(composition.manage("rollback", NAME))
        load.await_answers()
    row(load.row("two servers: rollout of 2.0 and rollback"))
    assert load.lost == 0 and set(load.plain) == {"200"}, load.plain


def test_one_is_killed_and_the_other_answers(
    composition: Composition, service: Proxied, both: list[str], row: Callable[[str], None]
) -> None:
    with ProxiedLoad(service) as load:
        load.await_answers()
        composition.kill(both[0])
        load.await_answers(200)
        wait_for(lambda: all(_is_healthy(composition, one) for one in both), BACK)
        load.await_answers()
    row(load.row("two servers: kill -9 of one"))
    assert load.lost == 0, load.retried
    assert set(load.plain) == {"200"}, "the proxy asks the other one"
