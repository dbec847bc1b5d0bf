"""The client of the management socket, against one that answers what a test says."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from rvae.errors import FieldError
from rvae.serving.unix_http import UnixSession
from rvae.serving.versions.management import Management, RefusedError, SilentError
from rvae.serving.versions.served import Share
from tests.support.fake_management import FakeManagement, FakeVersion, fake_management


@pytest.fixture
def fake(short_folder: Path) -> Iterator[FakeManagement]:
    """A server with two versions."""
    versions = {"1.0": FakeVersion("waves-1.0.mar", 2), "2.0": FakeVersion("waves-2.0.mar")}
    with fake_management(short_folder / "f", versions=versions, default="1.0") as running:
        yield running


@pytest.fixture
def management(fake: FakeManagement) -> Management:
    return Management(fake.socket, patience=5)


def test_the_state_of_a_server_is_read(fake: FakeManagement, management: Management) -> None:
    fake.earlier, fake.shares = ["0.9"], {"canary": ("2.0", 0.25)}
    server = management.server()
    assert (server.store, server.logs) == (fake.store, fake.logs)
    assert (server.url, server.metrics) == (
        "http://127.0.0.1:8080",
        "http://127.0.0.1:8081/metrics",
    )
    model = server.models["waves"]
    assert (model.default, model.previous, model.versions) == ("1.0", "0.9", ("1.0", "2.0"))
    assert (model.canary, model.shadow) == (Share("2.0", 0.25), None)
    assert str(model.canary) == "2.0 gets 25%"


def test_registrations_tell_workers_and_the_default(management: Management) -> None:
    found = management.registrations("waves")
    assert {version: (one.min_workers, one.default) for version, one in found.items()} == {
        "1.0": (2, True),
        "2.0": (1, False),
    }
    assert management.registrations("other") == {}


def test_deaths_of_workers_are_told_from_a_position_on(
    fake: FakeManagement, management: Management
) -> None:
    fake.deaths = [("2.0", "OSError: torn")]
    begin = management.log_position("waves", "3.0")
    assert management.failure("waves", "2.0", begin) is None
    assert management.failure("waves", "3.0", begin) is None  # which is not served
    fake.deaths.append(("3.0", "FieldError: no weights"))
    fake.busy = 1
    assert management.failure("waves", "3.0", begin) == "FieldError: no weights"
    assert management.failure("waves", "2.0", begin) is None
    assert management.failure("waves", "2.0", 0) == "OSError: torn"


def test_other_refusals_to_tell_of_deaths_are_errors(
    fake: FakeManagement, management: Management
) -> None:
    fake.answer = lambda method, target, body: (400, {"message": "must be a whole number"})
    for ask in (
        lambda: management.log_position("waves", "2.0"),
        lambda: management.failure("waves", "2.0", 0),
    ):
        with pytest.raises(RefusedError, match="must be a whole number"):
            ask()


def test_changes_are_asked_for(fake: FakeManagement, management: Management, store: Path) -> None:
    (fake.store / "waves-1.10.mar").write_bytes((store / "waves-1.10.mar").read_bytes())
    management.register("waves-1.10.mar", 3)
    management.make_default("waves", "2.0")
    management.share("shadow", "waves", "1.10", 0.5)
    management.unregister("waves", "1.0")
    assert fake.changes == [
        "POST /models?url=waves-1.10.mar&initial_workers=3&synchronous=false",
        "PUT /models/waves/2.0/set-default",
        "PUT /models/waves/1.10/shadow?share=0.5",
        "DELETE /models/waves/1.0",
    ]
    assert fake.versions["1.10"].workers == 3
    assert management.server().models["waves"].shadow == Share("1.10", 0.5)


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        (lambda one: one.unregister("waves", "1.0"), 403, "the default cannot be unregistered"),
        (lambda one: one.make_default("waves", "3.0"), 404, "3.0 is not served"),
    ],
)
def test_a_refusal_tells_why(
    management: Management, asked: object, status: int, message: str
) -> None:
    assert callable(asked)
    with pytest.raises(RefusedError, match=message) as caught:
        asked(management)
    assert caught.value.status == status


def test_what_a_server_that_is_being_replaced_did_not_hear_is_asked_again(
    fake: FakeManagement, management: Management
) -> None:
    fake.busy = 3
    management.make_default("waves", "2.0")
    assert fake.changes == ["PUT /models/waves/2.0/set-default"] * 4
    assert fake.default == "2.0"


@pytest.mark.parametrize("unheard", [True, False])
def test_what_was_done_all_the_same_is_not_an_error(
    fake: FakeManagement, management: Management, store: Path, unheard: bool
) -> None:
    (fake.store / "waves-1.10.mar").write_bytes((store / "waves-1.10.mar").read_bytes())
    fake.busy, fake.unheard = 1, unheard
    management.register("waves-1.10.mar", 1)
    fake.busy = 1
    management.unregister("waves", "2.0")
    assert list(fake.versions) == ["1.0", "1.10"]


def test_what_somebody_else_did_is_an_error(fake: FakeManagement, management: Management) -> None:
    with pytest.raises(RefusedError, match="not served"):
        management.unregister("waves", "3.0")


def test_a_server_that_is_not_there_again_is_an_error(fake: FakeManagement) -> None:
    fake.busy = 1000
    with pytest.raises(RefusedError) as caught:
        Management(fake.socket, patience=0.1).server()
    assert caught.value.status == 503


def test_a_socket_that_nobody_has_is_named(short_folder: Path) -> None:
    with pytest.raises(FieldError, match=r"socket: no rvae serve has .*management\.sock"):
        Management(short_folder / "management.sock").server()


def test_a_server_that_hangs_is_asked_no_longer_than_its_answer_may_take(
    fake: FakeManagement, management: Management, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rvae.serving.versions.management.OWN_SECONDS", 0.2)
    awake = Event()

    def hang(method: str, path: str) -> None:
        awake.wait(60)

    fake.on = hang
    for ask in (
        management.server,
        management.health,
        management.metrics,
        lambda: management.traffic("waves", 1, 0.2),
        lambda: management.log_position("waves", "2.0"),
        lambda: management.failure("waves", "2.0", 0),
    ):
        with pytest.raises(SilentError, match=r"management\.sock did not answer within 0\.[24] s"):
            ask()
    awake.set()


def test_traffic_is_awaited_for_as_long_as_it_is_heard(
    fake: FakeManagement, management: Management, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = []

    def answered(*arguments: Any, **content: Any) -> Any:
        waited.append(content["timeout"])
        return request(*arguments, **content)

    request = UnixSession.request
    monkeypatch.setattr(UnixSession, "request", answered)
    management.traffic("waves", 1, 3600)
    assert waited[0] > 3600


def test_another_server_is_told_apart(fake: FakeManagement, management: Management) -> None:
    fake.answer = lambda method, target, body: (200, {"models": []})
    for ask in (management.server, lambda: management.log_position("waves", "2.0")):
        with pytest.raises(FieldError, match="is not an rvae serve of this version"):
            ask()
    fake.answer = lambda method, target, body: (404, {"message": "no such path"})
    with pytest.raises(FieldError, match="is not an rvae serve of this version"):
        management.log_position("waves", "2.0")
