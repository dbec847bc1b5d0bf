"""Where sockets of management lie, and which of them a command is for."""

from pathlib import Path
from socket import gethostname

import pytest

from rvae.errors import FieldError
from rvae.serving.management_sockets import VARIABLE, asked_socket, own_socket, sockets_at


def test_a_server_has_its_own_in_its_logs_where_it_is_told_or_by_its_host(tmp_path: Path) -> None:
    assert own_socket(None, tmp_path) == tmp_path / "management.sock"
    assert own_socket(tmp_path / "a.sock", Path("logs")) == tmp_path / "a.sock"
    assert own_socket(tmp_path, Path("logs")) == tmp_path / f"{gethostname()}.sock"


def test_a_command_is_for_what_it_is_told_or_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert asked_socket(None) == Path("logs/management.sock")
    monkeypatch.setenv(VARIABLE, "~/sockets")
    assert asked_socket(None) == Path.home() / "sockets"
    assert asked_socket(Path("a.sock")) == Path("a.sock")
    monkeypatch.setenv(VARIABLE, "")
    assert asked_socket(None) == Path("logs/management.sock")


def test_a_folder_stands_for_all_sockets_in_it(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match=r"socket: no rvae serve has a socket in .*: start one"):
        sockets_at(tmp_path)
    for name in ("b.sock", "a.sock", "readme.txt"):
        (tmp_path / name).touch()
    assert sockets_at(tmp_path) == [tmp_path / "a.sock", tmp_path / "b.sock"]
    assert sockets_at(tmp_path / "b.sock") == [tmp_path / "b.sock"]
    with pytest.raises(FieldError, match=r"socket: no rvae serve has .*none\.sock: start one"):
        sockets_at(tmp_path / "none.sock")
