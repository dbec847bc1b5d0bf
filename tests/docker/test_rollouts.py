"""Another version takes the place of the first, and the first comes back, while clients ask."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.composition import Composition
from tests.support.fault_models import NAME
from tests.support.handlers import UNLOADABLE, with_handler
from tests.support.proxied import Proxied
from tests.support.proxied_load import ProxiedLoad

pytestmark = pytest.mark.docker


@pytest.fixture
def unloadable(put_into_store: Callable[[Path], str], shop: Path) -> str:
    """The path in containers of version 3.0, which is sound and does not load in a server."""
    return put_into_store(with_handler(shop / f"{NAME}-2.0.mar", "3.0", UNLOADABLE))


def test_rollout_and_rollback_lose_nothing(
    composition: Composition, service: Proxied, second: str, row: Callable[[str], None]
) -> None:
    with ProxiedLoad(service) as load:
        load.await_answers()
        said = composition.manage("rollout", NAME, second)
        load.await_answers()
    print(said)
    row(load.row("rollout of 2.0"))
    assert load.lost == 0 and set(load.plain) == {"200"}, load.plain
    assert set(load.versions) == {"1.0", "2.0"}
    with ProxiedLoad(service) as load:
        load.await_answers()
        said = composition.manage("rollback", NAME)
        load.await_answers()
    print(said)
    row(load.row("rollback to 1.0"))
    assert load.lost == 0 and set(load.plain) == {"200"}, load.plain
    assert set(load.versions) == {"1.0", "2.0"}
    listed = composition.manage("models")
    assert "1.0" in listed and "2.0" not in listed


def test_a_version_that_does_not_load_is_taken_back_with_the_servers_reason(
    composition: Composition, service: Proxied, unloadable: str
) -> None:
    with ProxiedLoad(service) as load:
        load.await_answers()
        command = ("rollout", NAME, unloadable, "--timeout", "240")
        said = composition.manage(*command, check=False)
        load.await_answers()
    print(said)
    # The server's log is in memory of its container, where the command does not see it.
    assert "ready     failed: it does not load: RuntimeError: as it is made to" in said
    assert load.lost == 0 and set(load.versions) == {"1.0"}, load.plain
    listed = composition.manage("models")
    assert "1.0" in listed and "3.0" not in listed
