"""HTTP over a Unix socket, for `requests`."""

import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from requests.adapters import DEFAULT_POOLSIZE, HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from rvae.serving.unix_path import short_path

__all__ = ["UnixSession"]


class UnixSession(requests.Session):
    """A session whose every request goes to one socket, as with `curl --unix-socket`.

    An address has a host all the same, which the server is told: `http://localhost/models`.

    Args:
        path: The socket, which need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.trust_env = False  # ignore proxies of the environment
        self.mount("http://", _UnixAdapter(path))


class _UnixAdapter(HTTPAdapter):
    def __init__(self, path: Path) -> None:
        self._sockets = _UnixPool(path)
        super().__init__()

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,
        proxies: Mapping[str, str] | None = None,
        cert: Any = None,
    ) -> HTTPConnectionPool:
        return self._sockets

    def close(self) -> None:
        super().close()
        self._sockets.close()


class _UnixPool(HTTPConnectionPool):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", maxsize=DEFAULT_POOLSIZE)
        self._path = path

    def _new_conn(self) -> HTTPConnection:
        return _UnixConnection(self._path)


class _UnixConnection(HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        if self.timeout is not None:
            # With a timeout of Python's own a connection that has to queue fails at once.
            whole, part = divmod(round(self.timeout * 1e6), 1_000_000)
            limit = struct.pack("@ll", whole, part)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        with short_path(self._path) as name:
            try:
                self.sock.connect(name)
            except BlockingIOError:
                raise TimeoutError("no connection was accepted in time") from None
        self.sock.settimeout(self.timeout)
