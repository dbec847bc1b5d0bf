"""Checks of a server that runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rvae.cli.checks import Check
from rvae.cli.server_checks import check_servers, running_servers
from tests.support.fake_archives import fake_archive
from tests.support.fake_management import FakeManagement, FakeVersion, fake_management


@pytest.fixture
def fake(short_folder: Path) -> Iterator[FakeManagement]:
    """A server of two versions."""
    versions = {"1.0": FakeVersion("waves-1.0.mar"), "2.0": FakeVersion("waves-2.0.mar", 2)}
    with fake_management(
        short_folder / "f",
        versions=versions,
        default="2.0",
        description={"example": {"data": [1]}},
    ) as running:
        for version in versions:
            fake_archive(running.store, version)
        yield running


def checks(fake: FakeManagement) -> dict[str, Check]:
    servers, silent = running_servers(fake.socket)
    assert not silent
    return {check.name: check for check in check_servers(servers)}


def test_every_version_predicts(fake: FakeManagement) -> None:
    bodies: list[bytes] = []

    def answer(body: bytes) -> tuple[int, Any]:
        bodies.append(body)
        return 200, {}

    fake.versions["2.0"].answers = answer
    found = checks(fake)
    assert {check.state for check in found.values()} == {"ok"}
    assert found["server"].found == (
        f"rvae serve at http://127.0.0.1:8080, with the store {fake.store}, is healthy"
    )
    assert found["waves 2.0"].found.endswith("2 of 2 workers ready, the default")
    assert bodies == [b'{"data":[1]}']


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (FakeVersion("", answers=lambda body: (500, {"message": "no"})), "answers 500, 1 of 1"),
        (FakeVersion("", polls=-1), "0 of 1 workers ready"),
    ],
)
def test_a_version_that_does_not_predict_is_a_problem(
    fake: FakeManagement, version: FakeVersion, said: str
) -> None:
    fake.versions["1.0"] = version
    found = checks(fake)
    assert found["waves 1.0"].state == "problem" and said in found["waves 1.0"].found
    assert found["waves 2.0"].state == "ok"


def test_why_a_server_is_not_healthy_is_told(fake: FakeManagement) -> None:
    fake.reasons = ("waves 1.0 has no worker that is ready",)
    check = checks(fake)["server"]
    assert check.state == "problem" and fake.reasons[0] in check.found


def test_what_a_rollout_left_and_what_is_not_served_is_noted(fake: FakeManagement) -> None:
    fake.shares = {"canary": ("1.0", 0.1)}
    fake_archive(fake.store, "3.0")
    (fake.store / "broken.mar").write_bytes(b"nothing")
    found = checks(fake)
    assert found["waves canary"].state == found["archive waves-3.0.mar"].state == "note"
    assert found["waves canary"].found == "1.0 gets 10% of the default's requests"
    assert found["archive waves-3.0.mar"].found == "waves 3.0 is not served"
    assert found["archive broken.mar"].state == "problem"


def test_a_server_that_does_not_run_is_noted(short_folder: Path) -> None:
    for path in (short_folder / "management.sock", short_folder):
        servers, (check,) = running_servers(path)
        assert not servers and check.state == "note"


def test_a_server_that_has_died_is_a_problem(fake: FakeManagement) -> None:
    fake.answer = lambda method, target, body: (404, {})
    servers, (check,) = running_servers(fake.socket)
    assert not servers and check.state == "problem"


def test_a_server_that_starts_is_not_to_be_started(
    fake: FakeManagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rvae.cli.server_checks.PATIENCE_SECONDS", 0.1)
    fake.busy = 1000
    _, (check,) = running_servers(fake.socket)
    assert str(fake.socket) in check.found and "server.log" in check.advice


def test_several_servers_are_checked_with_their_names(
    fake: FakeManagement, short_folder: Path
) -> None:
    (short_folder / "a.sock").symlink_to(fake.socket)
    with fake_management(short_folder / "g", at=short_folder / "b.sock"):
        servers, _ = running_servers(short_folder)
        found = {check.name: check.state for check in check_servers(servers)}
    assert found.keys() >= {"a: server", "a: waves 2.0", "b: server"}
    servers, (check,) = running_servers(short_folder)
    assert list(servers) == [short_folder / "a.sock"] and "b.sock" in check.found
