"""Several servers behind the proxy, and servers that are not there."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.support.name_server import NameServer, name_server
from tests.support.proxy import Proxy, proxy
from tests.support.upstream import Upstream, answer, upstream
from tests.support.waiting import wait_for

FIRST, SECOND = "127.0.0.1", "127.0.0.2"
UNAVAILABLE = answer(503, b'{"code": 503, "message": "of the server", "field": "x"}')


@pytest.fixture
def names() -> Iterator[NameServer]:
    with name_server() as found:
        found.addresses = [FIRST, SECOND]
        yield found


@pytest.fixture
def servers() -> Iterator[tuple[Upstream, Upstream]]:
    """Two servers at one port of two addresses."""
    with ExitStack() as stack:
        first = stack.enter_context(upstream(address=(FIRST, 0)))
        second = stack.enter_context(upstream(address=(SECOND, first.address[1])))
        first.handler = lambda _: answer(200, b"first")
        second.handler = lambda _: answer(200, b"second")
        yield first, second


@pytest.fixture
def front(servers: tuple[Upstream, Upstream], names: NameServer, tmp_path: Path) -> Iterator[Proxy]:
    port = servers[0].address[1]
    with proxy(tmp_path, f"server:{port}", RESOLVER=f"127.0.0.1:{names.port}") as found:
        yield found


def test_all_of_them_are_asked(front: Proxy, servers: tuple[Upstream, Upstream]) -> None:
    wait_for(lambda: {front.ask().body for _ in range(5)} == {b"first", b"second"})


def test_one_that_comes_or_goes_is_noticed(front: Proxy, names: NameServer) -> None:
    names.addresses = [FIRST]
    wait_for(lambda: {front.ask().body for _ in range(10)} == {b"first"})
    names.addresses = [SECOND]
    wait_for(lambda: {front.ask().body for _ in range(10)} == {b"second"})


@pytest.mark.parametrize("said", [UNAVAILABLE, b"", b"HTTP/1.1 2"], ids=["503", "none", "half"])
def test_where_one_fails_another_is_asked(
    front: Proxy, servers: tuple[Upstream, Upstream], said: bytes
) -> None:
    servers[0].handler = lambda _: said
    body = b"x" * 200_000
    assert {front.ask(body=body).body for _ in range(10)} == {b"second"}
    assert servers[0].asked and {one.body for one in servers[1].asked} == {body}


def test_where_nobody_listens_another_is_asked(front: Proxy, names: NameServer) -> None:
    names.addresses = ["127.0.0.9", SECOND]
    wait_for(lambda: front.ask().body == b"second")
    assert {front.ask().status for _ in range(10)} == {200}
    wait_for(lambda: any("127.0.0.9" in one["server"] for one in front.logged()))


def test_no_more_than_two_are_asked(front: Proxy, servers: tuple[Upstream, Upstream]) -> None:
    for one in servers:
        one.handler = lambda _: UNAVAILABLE
    assert front.ask().body == UNAVAILABLE.partition(b"\r\n\r\n")[2]
    assert len(servers[0].asked) + len(servers[1].asked) == 2


def test_other_errors_are_not_asked_for_again(
    front: Proxy, servers: tuple[Upstream, Upstream]
) -> None:
    for one in servers:
        one.handler = lambda _: answer(500, b"{}")
    assert front.ask().status == 500
    assert len(servers[0].asked) + len(servers[1].asked) == 1


def test_a_name_that_nobody_knows_is_a_server_that_is_not_there(
    front: Proxy, names: NameServer
) -> None:
    names.addresses = []
    wait_for(lambda: front.ask().status == 503)
    assert front.ask().error == (503, "server")


@pytest.fixture
def free_port() -> int:
    with closing(socket.socket()) as bound:
        bound.bind((FIRST, 0))
        return int(bound.getsockname()[1])


def test_a_server_that_is_not_there_is_waited_for(tmp_path: Path, free_port: int) -> None:
    with proxy(tmp_path, (FIRST, free_port)) as front:
        found = front.ask()
        assert found.error == (503, "server") and found.headers["retry-after"] == "1"
        ping = front.ask("/ping", None, method="GET", key=None)
        assert (ping.status, ping.body) == (503, b'{"status":"Unhealthy"}')
        with upstream(address=(FIRST, free_port)):
            assert front.ask().status == 200


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200"])
def test_an_answer_that_is_none_is_an_error_of_the_server(tmp_path: Path, said: bytes) -> None:
    with upstream() as server, proxy(tmp_path, server.address) as front:
        server.handler = lambda _: said
        found = front.ask()
        assert found.error == (503, "server") and found.headers["retry-after"] == "1"
