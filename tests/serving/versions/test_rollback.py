"""Rollbacks against a management that answers what a test says."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.versions.rollback import RollbackOptions, rollback
from rvae.serving.versions.servers import Servers
from rvae.serving.versions.steps import Steps
from tests.support.fake_archives import fake_archive
from tests.support.fake_management import FakeManagement, FakeVersion, fake_management

OPTIONS = RollbackOptions(timeout=5)


@pytest.fixture
def fake(short_folder: Path) -> Iterator[FakeManagement]:
    """A server of version 2.0, which has replaced 1.0; the store holds both, and another one."""
    versions = {"2.0": FakeVersion("waves-2.0.mar", 2)}
    with fake_management(
        short_folder / "f", versions=versions, default="2.0", earlier=["1.0"]
    ) as running:
        for version in ("0.9", "1.0", "2.0"):
            fake_archive(running.store, version)
        (running.store / "broken.mar").write_bytes(b"nothing")
        yield running


def roll_back(fake: FakeManagement, options: RollbackOptions = OPTIONS, name: str = "waves") -> str:
    said: list[str] = []
    try:
        rollback(Servers(fake.socket), name, options, Steps(said.append))
    finally:
        print("".join(said))
    return "".join(said)


def test_a_retired_version_comes_back_from_the_store(fake: FakeManagement) -> None:
    said = roll_back(fake)
    assert fake.changes == [
        "POST /models?url=waves-1.0.mar&initial_workers=2&synchronous=false",
        "PUT /models/waves/1.0/set-default",
        "DELETE /models/waves/2.0",
    ]
    assert "1.0 in place of 2.0" in said
    assert (fake.store / "waves-2.0.mar").exists()  # the way back


def test_a_version_that_is_still_served_needs_no_registration(fake: FakeManagement) -> None:
    fake.versions["1.0"] = FakeVersion("waves-1.0.mar")
    roll_back(fake, replace(OPTIONS, keep=True))
    assert fake.changes == ["PUT /models/waves/1.0/set-default"]


def test_any_version_of_the_store_can_be_named(fake: FakeManagement) -> None:
    roll_back(fake, replace(OPTIONS, version="0.9", workers=1))
    assert (list(fake.versions), fake.default, fake.versions["0.9"].workers) == (["0.9"], "0.9", 1)


def test_a_second_rollback_goes_further_back(fake: FakeManagement) -> None:
    fake.earlier = ["0.9", "1.0"]
    roll_back(fake)
    assert (list(fake.versions), fake.default) == (["1.0"], "1.0")
    roll_back(fake)
    assert (list(fake.versions), fake.default) == (["0.9"], "0.9")


def test_a_version_that_does_not_load_is_taken_back(fake: FakeManagement) -> None:
    fake.coming["1.0"] = FakeVersion("", polls=-1)
    with pytest.raises(FieldError, match="ready: 0 of 2 workers"):
        roll_back(fake, replace(OPTIONS, timeout=0.1))
    assert (list(fake.versions), fake.default) == (["2.0"], "2.0")
    assert (fake.store / "waves-1.0.mar").exists()


@pytest.mark.parametrize(
    ("name", "version", "said"),
    [
        ("other", None, "name: other is not served: waves"),
        ("waves", "2.0", "version: 2.0 is the default of waves already"),
        ("waves", "3.0", "version: no archive in .* holds waves 3.0"),
    ],
)
def test_what_cannot_come_back_is_said(
    fake: FakeManagement, name: str, version: str | None, said: str
) -> None:
    with pytest.raises(FieldError, match=said):
        roll_back(fake, replace(OPTIONS, version=version), name)
    assert fake.changes == []


def test_without_an_earlier_default_a_version_has_to_be_named(fake: FakeManagement) -> None:
    fake.earlier = []
    with pytest.raises(FieldError, match=r"no default of waves before 2\.0 is known: name one"):
        roll_back(fake)
