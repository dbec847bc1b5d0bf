"""Sockets in deep folders."""

import socket
from pathlib import Path

import pytest

from rvae.serving.unix_path import short_path


def test_a_socket_in_a_deep_folder_is_bound_and_reached(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 20) / ("deeper" * 20)
    folder.mkdir(parents=True)
    path = folder / "a.sock"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        with pytest.raises(OSError, match="too long"):
            listener.bind(str(path))
        with short_path(path) as name:
            listener.bind(name)
        listener.listen()
        assert path.is_socket()
        with short_path(path) as name:
            client.connect(name)
        listener.accept()[0].close()


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), short_path(tmp_path / "none" / "a.sock"):
        raise AssertionError
