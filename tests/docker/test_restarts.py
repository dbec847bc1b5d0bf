"""What was served is served again, however all of it ended."""

from collections.abc import Iterator

import pytest

from tests.support.composition import Composition
from tests.support.fault_models import NAME
from tests.support.proxied import Proxied
from tests.support.waiting import wait_for

pytestmark = pytest.mark.docker

BACK = 180  # seconds


def served(composition: Composition) -> str:
    """Versions, workers and default, as the command shows them."""
    return composition.manage("models")


@pytest.fixture
def changed(composition: Composition, service: Proxied, second: str) -> Iterator[str]:
    """What is served when 2.0 with two workers is the default, and 1.0 was kept."""
    composition.manage("rollout", NAME, second, "--keep", "--workers=2")
    yield served(composition)
    wait_for(service.is_ready, BACK)
    composition.manage("rollback", NAME)


def test_down_and_up_keep_versions_default_and_workers(
    composition: Composition, service: Proxied, changed: str
) -> None:
    assert "1.0" in changed and "2.0" in changed
    composition.run("down", "--timeout=60")
    assert composition.containers("server", stopped=True) == []
    composition.run("up", "--detach")
    wait_for(service.is_ready, BACK)
    assert served(composition) == changed


def test_kill_keeps_versions_default_and_workers(
    composition: Composition, service: Proxied, changed: str
) -> None:
    container = composition.container("server")
    composition.kill(container)
    wait_for(lambda: not service.is_ready())
    wait_for(service.is_ready, BACK)
    assert served(composition) == changed


def test_the_certificate_stays(composition: Composition, service: Proxied) -> None:
    composition.run("rm", "--stop", "--force", "proxy")
    composition.run("up", "--detach")
    wait_for(service.is_ready, BACK)
