"""Commands that change a server, one at a time."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from rvae.cli.changing import changing
from rvae.errors import FieldError
from tests.support.fake_management import FakeManagement, FakeVersion, fake_management


@pytest.fixture
def fake(short_folder: Path) -> Iterator[FakeManagement]:
    versions = {"1.0": FakeVersion("waves-1.0.mar")}
    with fake_management(short_folder / "f", versions=versions, default="1.0") as running:
        yield running


def test_a_server_is_changed_by_one_command_at_a_time(
    fake: FakeManagement, capsys: pytest.CaptureFixture[str]
) -> None:
    with changing(fake.socket) as (servers, steps):
        steps.run("look", lambda: servers.found()[0].state.models["waves"].default)
        with (
            pytest.raises(FieldError, match="socket: another command changes"),
            changing(fake.socket),
        ):
            pass
    assert capsys.readouterr().out.startswith("look      1.0 (")
    with changing(fake.socket):
        pass  # the lock has ended


def test_a_termination_is_an_interruption(fake: FakeManagement) -> None:
    with pytest.raises(KeyboardInterrupt), changing(fake.socket):
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_server_that_is_not_there_is_named(short_folder: Path) -> None:
    with (
        pytest.raises(FieldError, match=r"socket: no rvae serve has .*/none\.sock"),
        changing(short_folder / "none.sock"),
    ):
        pass


def test_a_folder_and_a_socket_in_it_have_one_lock(fake: FakeManagement) -> None:
    with (
        changing(fake.socket.parent),
        pytest.raises(FieldError, match="another command changes"),
        changing(fake.socket),
    ):
        pass


def test_a_folder_without_sockets_is_named(short_folder: Path) -> None:
    with (
        pytest.raises(FieldError, match="socket: no rvae serve has a socket in"),
        changing(short_folder),
    ):
        pass
