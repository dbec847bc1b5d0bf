"""What is done to a version on one server, where it is there already; else see rollouts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.model_store import Archive
from rvae.serving.versions.server_change import ServerChange
from rvae.serving.versions.servers import Servers
from tests.support.fake_management import FakeManagement, FakeVersion, fake_management


@pytest.fixture
def fake(short_folder: Path) -> Iterator[FakeManagement]:
    """A server of 1.0, that also has 2.0."""
    versions = {"1.0": FakeVersion("", 3), "2.0": FakeVersion("", 2)}
    with fake_management(short_folder / "f", versions=versions, default="1.0") as running:
        yield running


def change_of(fake: FakeManagement, version: str = "2.0") -> ServerChange:
    (server,) = Servers(fake.socket).found()
    return ServerChange(server, Archive(Path("waves.mar"), "waves", version))


def test_what_somebody_else_registered_is_left_as_it_is(fake: FakeManagement) -> None:
    change = change_of(fake)
    assert change.register({}, 5) == "2.0 is registered already"
    assert change.unregister() == ""
    assert fake.changes == []


@pytest.mark.parametrize(("asked", "workers"), [(None, 3), (1, 1)])
def test_a_version_without_workers_gets_some_and_loses_them_again(
    fake: FakeManagement, asked: int | None, workers: int
) -> None:
    fake.versions["2.0"].workers = 0
    change = change_of(fake)
    assert change.register({}, asked).startswith(f"2.0 is registered already, and gets {workers} ")
    assert fake.versions["2.0"].workers == workers
    assert change.await_workers(0.0, 1e9).endswith("loaded it")
    assert change.unregister() == "2.0 has no worker again"
    assert fake.versions["2.0"].workers == 0


def test_of_one_that_was_served_before_workers_may_die(fake: FakeManagement) -> None:
    change = change_of(fake)
    change.register({}, None)
    fake.deaths = [("2.0", "MemoryError")]
    assert not any("failure" in one for one in fake.asked)  # an older server can go back, too
    assert change.await_workers(0.0, 1e9) == "2 workers loaded it"


def test_one_that_is_gone_without_a_reason_is_told(fake: FakeManagement) -> None:
    fake.versions["2.0"].workers = 0
    change = change_of(fake)
    change.register({}, None)
    del fake.versions["2.0"]
    with pytest.raises(FieldError, match="ready: the server does not have it any more"):
        change.await_workers(0.0, 1e9)


def test_a_store_that_does_not_have_the_archive_is_named(fake: FakeManagement) -> None:
    with pytest.raises(FieldError, match=rf"store: is {fake.store}, which the others do not have"):
        change_of(fake, "3.0").register({Path("/other"): "waves-3.0.mar"}, None)
