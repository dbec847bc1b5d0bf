"""What ends without a word is back soon, and clients that ask again lose nothing."""

from collections.abc import Callable

import pytest

from tests.support.composition import Composition
from tests.support.proxied import Proxied
from tests.support.proxied_load import ProxiedLoad
from tests.support.waiting import wait_for

pytestmark = pytest.mark.docker

BACK = 120  # seconds
# Parts of a server by a piece of their command.
PARTS = {"worker": "model_service_worker.py", "Java": "org.pytorch.serve.ModelServer"}


def part(composition: Composition, container: str, command: str) -> set[int]:
    found = composition.processes(container)
    return {pid for pid, said in found.items() if command in said}


@pytest.mark.parametrize("name", PARTS)
def test_a_killed_part_of_the_server_is_replaced(
    composition: Composition, service: Proxied, row: Callable[[str], None], name: str
) -> None:
    container = composition.container("server")
    before = part(composition, container, PARTS[name])
    assert before
    with ProxiedLoad(service) as load:
        load.await_answers()
        for pid in before:
            composition.signal(pid, "KILL")
        wait_for(lambda: bool(part(composition, container, PARTS[name]) - before), BACK)
        load.await_answers(seconds=BACK)
    row(load.row(f"kill -9 of a {name}"))
    assert load.lost == 0, load.retried
    assert set(load.plain) == {"200"}, "the server asks again by itself"


@pytest.mark.parametrize("name", ["server", "proxy"])
def test_a_killed_container_starts_again(
    composition: Composition, service: Proxied, row: Callable[[str], None], name: str
) -> None:
    container = composition.container(name)
    before = int(composition.facts(container)["RestartCount"])
    with ProxiedLoad(service) as load:
        load.await_answers()
        composition.kill(container)
        wait_for(lambda: int(composition.facts(container)["RestartCount"]) > before, BACK)
        load.await_answers(seconds=BACK)
    row(load.row(f"kill -9 of the container {name}"))
    assert load.lost == 0, load.retried


def test_workers_that_hang_are_replaced(
    composition: Composition, service: Proxied, row: Callable[[str], None]
) -> None:
    container = composition.container("server")
    workers = part(composition, container, PARTS["worker"])
    assert workers
    with ProxiedLoad(service) as load:
        load.await_answers()
        for worker in workers:
            composition.signal(worker, "STOP")
        wait_for(lambda: not workers & part(composition, container, PARTS["worker"]), BACK)
        load.await_answers(seconds=BACK)
    row(load.row("workers hang"))
    assert load.lost == 0, load.retried
