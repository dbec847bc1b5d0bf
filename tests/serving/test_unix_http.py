"""HTTP through Unix sockets, with a server of Python's own."""

import socket
import socketserver
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread

import pytest
import requests

from rvae.serving.unix_http import UnixSession


class Echo(BaseHTTPRequestHandler):
    """Answers with the body, the target and the host of a request."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"slow":
            self.connection.recv(1)  # until the client goes
            return
        self.server.connections.add(id(self.connection))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Asked", f"{self.headers['Host']} {self.path}")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: Path) -> None:
        self.connections: set[int] = set()
        super().__init__(str(path), Echo)


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rvae-test-") as folder:
        yield Path(folder) / "http.sock"


@pytest.fixture
def server(path: Path) -> Iterator[Server]:
    with Server(path) as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def test_requests_arrive_whole_and_share_a_connection(server: Server, path: Path) -> None:
    with UnixSession(path) as client:
        for body in (b"short", bytes(5_000_000), b""):
            answer = client.post("http://localhost/a?b=c", data=body, timeout=10)
            assert answer.content == body
            assert answer.headers["Asked"] == "localhost /a?b=c"
    assert len(server.connections) == 1


def test_a_proxy_of_the_environment_is_not_asked(
    server: Server, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with UnixSession(path) as client:
        assert client.post("http://example.com/", data=b"x", timeout=10).content == b"x"


def test_threads_share_a_session(server: Server, path: Path) -> None:
    with UnixSession(path) as client, ThreadPoolExecutor(16) as pool:
        bodies = [str(i).encode() for i in range(200)]
        said = pool.map(lambda body: client.post("http://x/", data=body, timeout=10), bodies)
        assert [answer.content for answer in said] == bodies


def test_a_server_that_is_not_there_or_does_not_answer_is_an_error_of_requests(
    path: Path,
) -> None:
    with UnixSession(path) as client:
        with pytest.raises(requests.ConnectionError):
            client.post("http://localhost/", data=b"x", timeout=10)
        with Server(path) as running:
            Thread(target=running.serve_forever, daemon=True).start()
            with pytest.raises(requests.ReadTimeout):
                client.post("http://localhost/", data=b"slow", timeout=0.2)
            assert client.post("http://localhost/", data=b"x", timeout=10).content == b"x"
            running.shutdown()


def test_a_connection_waits_for_its_turn_and_not_longer(path: Path) -> None:
    """A server that accepts none has a queue of few connections."""
    with socket.socket(socket.AF_UNIX) as listener, UnixSession(path) as client:
        listener.bind(str(path))
        listener.listen(0)
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(str(path))
            with pytest.raises(requests.ConnectionError, match="accepted in time"):
                client.post("http://x/", data=b"x", timeout=0.2)
            with ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(client.post, "http://x/", data=b"x", timeout=30)
                listener.accept()[0].close()
                with listener.accept()[0] as accepted:
                    accepted.recv(65_536)
                    accepted.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                assert waiting.result(30).ok
