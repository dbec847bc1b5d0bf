"""Requests to a server that is being hurt: what came back, if anything did."""

import http.client
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import NamedTuple

__all__ = [
    *("JSON", "Address", "Answer", "abandon", "ask", "ask_at_once", "connect", "posted", "speak"),
]

Address = tuple[str, int]

JSON = {"Content-Type": "application/json"}
PATIENCE = 60.0  # seconds, after which a request hangs
QUIET = 1.0  # seconds, after which nothing more is expected


class Answer(NamedTuple):
    """What came back.

    Attributes:
        status: Of HTTP; 0, where the connection was closed or silent.
        headers: With names in lower case.
        body: The content.
        seconds: From the first byte that was sent.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


def ask(
    address: Address,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] = JSON,
    method: str = "POST",
    patience: float = PATIENCE,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """Send one request on a connection of its own, over TLS where a context is given."""
    begin = time.monotonic()
    with closing(connect(address, patience, tls)) as connection:
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            return Answer(0, {}, b"", time.monotonic() - begin)
    named = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, named, content, time.monotonic() - begin)


def connect(
    address: Address, patience: float, tls: ssl.SSLContext | None
) -> http.client.HTTPConnection:
    """A connection that is made by its first request."""
    if tls is None:
        return http.client.HTTPConnection(*address, timeout=patience)
    return http.client.HTTPSConnection(*address, timeout=patience, context=tls)


def ask_at_once(
    address: Address,
    path: str,
    bodies: Sequence[bytes],
    headers: Mapping[str, str] = JSON,
    patience: float = PATIENCE,
    tls: ssl.SSLContext | None = None,
) -> list[Answer]:
    """Send requests at the same time, and return the answers in their order."""
    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(
            pool.map(
                lambda body: ask(address, path, body, headers, patience=patience, tls=tls), bodies
            )
        )


def posted(path: str, body: bytes, content_type: str = "application/json") -> bytes:
    """A request as it is sent."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def abandon(address: Address, path: str, body: bytes, count: int) -> None:
    """Send requests, and hang up once they have arrived."""
    for _ in range(count):
        with socket.create_connection(address, PATIENCE) as connection:
            connection.sendall(posted(path, body))
            time.sleep(0.01)  # or the server would see nothing but a closed connection


def speak(
    address: Address, said: bytes, quiet: float = QUIET, tls: ssl.SSLContext | None = None
) -> tuple[bytes, bool]:
    """Send bytes as they are, and return what comes back, and whether the connection was closed."""
    heard = bytearray()
    with _open(address, tls) as connection:
        connection.settimeout(quiet)
        try:
            connection.sendall(said)
        except TimeoutError:
            return b"", False
        except (ConnectionError, ssl.SSLError):
            pass  # an answer may have come all the same
        try:
            while part := connection.recv(1 << 16):
                heard += part
        except TimeoutError:
            return bytes(heard), False
        except (ConnectionError, ssl.SSLError):
            pass
    return bytes(heard), True


def _open(address: Address, tls: ssl.SSLContext | None) -> socket.socket:
    connection = socket.create_connection(address, PATIENCE)
    return connection if tls is None else tls.wrap_socket(connection, server_hostname=address[0])
