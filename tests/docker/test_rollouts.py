"""Another version takes the place of the first, and the first comes back, while clients ask."""

from collections.abc import Callable

import pytest

from tests.support.composition import Composition
from tests.support.fault_models import NAME
from tests.support.proxied import Proxied
from tests.support.proxied_load import ProxiedLoad

pytestmark = pytest.mark.docker


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
