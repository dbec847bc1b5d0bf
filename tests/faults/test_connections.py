"""Clients that connect and do little: idle ones, slow ones, and ones that never read."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.exchanges import PATIENCE, ask, posted
from tests.support.fault_models import LARGE_ANSWER, PATH, WINDOW
from tests.support.outages import honest
from tests.support.served_process import ServedProcess
from tests.support.waiting import wait_for

pytestmark = pytest.mark.faults

DESCRIPTORS = 300
START = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()
CLOSED = 90.0  # seconds in which the server must have closed a connection that is of no use


@contextmanager
def connected(served: ServedProcess, count: int) -> Iterator[list[socket.socket]]:
    """So many connections; some of them may be refused or reset."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.settimeout(PATIENCE)
            one.connect_ex(served.address)
            one.setblocking(False)
        yield sockets


def is_open(connection: socket.socket) -> bool:
    """Whether the server has not closed a connection, whatever it said before."""
    try:
        while connection.recv(1 << 16):
            pass
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def dribble(connections: list[socket.socket], part: bytes) -> None:
    """Send a little more on each connection that is open."""
    for connection in connections:
        try:
            connection.send(part)
        except OSError:
            continue


def test_more_idle_connections_than_descriptors(busy_store: Path, tmp_path: Path) -> None:
    limited = ["prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"]
    with (
        ServedProcess(busy_store, tmp_path, prefix=limited) as served,
        honest(served) as client,
        connected(served, 400),
    ):
        client.await_answers(60)
    assert client.failed == 0


def test_a_worker_restarts_beside_more_idle_connections_than_descriptors(
    busy_store: Path, tmp_path: Path
) -> None:
    limited = ["prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"]
    with (
        ServedProcess(busy_store, tmp_path, prefix=limited) as served,
        connected(served, 400),
    ):
        served.await_another_worker(served.kill_worker())
        assert ask(served.address, PATH, WINDOW).status == 200


def test_idle_connections_are_closed(lasting: ServedProcess) -> None:
    with honest(lasting), connected(lasting, 50) as connections:
        wait_for(lambda: not any(map(is_open, connections)), CLOSED)


@pytest.mark.parametrize(
    "first",
    [
        b"POST ",
        START + b"X-A: b",
        START + b"Content-Length: 60000\r\n\r\n{",
        START + b"Content-Length: 6000000\r\n\r\n{",
        START + b"Transfer-Encoding: chunked\r\n\r\n5b8d80\r\n{",
    ],
    ids=["method", "header", "small body", "large body", "chunk"],
)
def test_requests_that_are_sent_byte_by_byte(lasting: ServedProcess, first: bytes) -> None:
    with honest(lasting) as client, connected(lasting, 150) as connections:
        dribble(connections, first)
        begin = time.monotonic()
        while any(map(is_open, connections)):
            assert time.monotonic() - begin < CLOSED
            dribble(connections, b"1")
            client.await_answers(5)
    assert client.failed == 0


def test_clients_that_do_not_read(lasting: ServedProcess) -> None:
    with honest(lasting) as client, connected(lasting, 40) as connections:
        for connection in connections:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.setblocking(True)
            connection.settimeout(PATIENCE)
            connection.sendall(posted(PATH, LARGE_ANSWER))
        client.await_answers(200)
        assert ask(lasting.address, PATH, WINDOW).status == 200
    assert client.failed == 0


def test_more_slow_senders_than_connections(lasting: ServedProcess) -> None:
    head = START + b"Content-Length: 60000\r\n\r\n{"
    with honest(lasting) as client, connected(lasting, 1200) as connections:
        dribble(connections, head)
        for _ in range(20):
            client.await_answers(10)
            dribble(connections, b" ")
    assert client.failed == 0
