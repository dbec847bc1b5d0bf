"""Sockets of servers: whose they are, and what is left of those that were killed."""

import socket
import stat
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.private_socket import PrivateSocket


def connect(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def leave(path: Path) -> None:
    """A socket as a killed server leaves it."""
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.listen()
    stale.close()


def test_it_is_for_this_user_alone_and_removed_at_the_end(short_folder: Path) -> None:
    path = short_folder / "new" / "a.sock"
    with PrivateSocket(path) as made:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert made.path == path
        connect(path)
    assert list(path.parent.iterdir()) == []


def test_what_a_killed_server_left_is_replaced(short_folder: Path) -> None:
    path = short_folder / "a.sock"
    leave(path)
    with pytest.raises(ConnectionRefusedError):
        connect(path)
    with PrivateSocket(path):
        connect(path)


def test_a_living_server_keeps_its_socket(short_folder: Path) -> None:
    path = short_folder / "a.sock"
    with PrivateSocket(path):
        with pytest.raises(FieldError, match=r"socket: another server listens on .*a\.sock"):
            PrivateSocket(path)
        connect(path)


def test_a_server_that_has_many_waiting_lives(short_folder: Path) -> None:
    path = short_folder / "a.sock"
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.bind(str(path))
        busy.listen(0)
        waiting.connect(str(path))  # and there is room for no other
        with pytest.raises(FieldError, match="another server listens"):
            PrivateSocket(path)


def test_of_servers_that_start_at_once_one_has_the_socket(short_folder: Path) -> None:
    """As each would see it: nobody listens there yet."""
    path = short_folder / "a.sock"
    leave(path)

    def other() -> None:
        with pytest.raises(FieldError, match=r"another server takes .*a\.sock at this moment"):
            PrivateSocket(path)

    class Slow(PrivateSocket):
        def _replace_stale(self) -> None:
            other()
            super()._replace_stale()
            other()

    with Slow(path):
        connect(path)
        assert list(short_folder.iterdir()) == [path]
    with PrivateSocket(path):
        connect(path)


def test_the_socket_of_a_successor_is_not_removed(short_folder: Path) -> None:
    path = short_folder / "a.sock"
    first = PrivateSocket(path)
    first.listener.close()  # it answers what it has, and takes nothing new
    with PrivateSocket(path):
        first.close()
        connect(path)


def test_what_cannot_be_a_socket_is_told(short_folder: Path) -> None:
    file = short_folder / "file"
    file.write_text("kept")
    for bad in (file, short_folder, file / "a.sock", short_folder / ("x" * 300)):
        with pytest.raises(FieldError) as error:
            PrivateSocket(bad)
        assert error.value.field == "socket" and str(bad) in error.value.message
    assert file.read_text() == "kept"
