"""What a client can take of the proxy."""

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from itertools import count
from pathlib import Path
from threading import Event

import pytest

from rvae.serving.unix_path import short_path
from tests.support.proxy import KEY, Answer, Proxy, key_line, proxy
from tests.support.smuggling import statuses
from tests.support.upstream import Asked, Upstream, answer
from tests.support.waiting import wait_for

HEAD = f"POST /predictions/m HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n".encode()
START = Callable[..., Proxy]


@pytest.fixture
def start(backend: Upstream, tmp_path: Path) -> Iterator[START]:
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(proxy(tmp_path, backend.address, **settings))


def test_a_body_that_is_too_large_is_refused(start: START, backend: Upstream) -> None:
    front = start(RVAE_BODY_BYTES=100_000)
    assert front.ask(body=b"x" * 100_000).status == 200
    for sent in (b"x" * 100_001, (b"x" * 50_000 for _ in range(3))):
        assert front.ask(body=sent).error == (413, "body")
    # Nobody has to send it to be told so.
    heard, closed = front.speak(HEAD + b"Content-Length: 100001\r\n\r\n")
    assert statuses(heard) == [413] and closed
    assert len(backend.asked) == 1


def test_who_is_refused_reads_why_while_sending(start: START, backend: Upstream) -> None:
    front = start()
    for _ in range(5):
        assert front.ask(body=b"x" * 6_000_000, key="wrong").error == (401, "Authorization")
    assert backend.asked == []


def test_headers_that_are_too_large_are_refused(start: START, backend: Upstream) -> None:
    front = start()
    heard, _ = front.speak(HEAD + b"X-A: " + b"a" * 20_000 + b"\r\n\r\n")
    assert statuses(heard) == [431] and b'"field":"headers"' in heard
    heard, _ = front.speak(b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n")
    assert statuses(heard) == [414]
    assert backend.asked == []


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 100", b"Transfer-Encoding: chunked\r\n\r\n64"]
)
@pytest.mark.parametrize("pause", [0.05, 60.0], ids=["dripping", "silent"])
def test_a_body_that_takes_too_long_is_ended(
    start: START, backend: Upstream, framing: bytes, pause: float
) -> None:
    front = start(RVAE_BODY_SECONDS=1)
    began = time.monotonic()
    with front.connect() as connection:
        connection.settimeout(pause)
        connection.sendall(HEAD + framing + b"\r\n" + b"\r\n" * framing.startswith(b"C"))
        heard = b""
        while b"}" not in heard:
            with suppress(TimeoutError):
                part = connection.recv(1 << 16)
                assert part, heard
                heard += part
                continue
            connection.sendall(b"x")
    assert statuses(heard) == [408] and b'"field":"body"' in heard
    assert b"\r\nConnection: close\r\n" in heard
    assert 0.9 < time.monotonic() - began < 30
    assert backend.asked == []
    assert front.ask().status == 200


def test_a_body_in_time_is_not_ended_later(start: START, backend: Upstream) -> None:
    front = start(RVAE_BODY_SECONDS=1)
    computing = Event()

    def slow(_: Asked) -> bytes:
        computing.wait(1.5)
        return answer()

    backend.handler = slow
    assert front.ask().status == 200


def test_a_head_that_takes_too_long_is_ended(start: START, backend: Upstream) -> None:
    front = start()
    began = time.monotonic()
    with front.connect() as connection:
        connection.sendall(HEAD)
        assert connection.recv(100) == b""
    assert 5 < time.monotonic() - began < 60
    wait_for(lambda: front.log.exists() and front.logged()[-1]["status"] == 408)
    assert backend.asked == []


def test_an_address_has_so_many_connections_whatever_they_do(start: START) -> None:
    front = start(RVAE_ADDRESS_CONNECTIONS=5)
    with ExitStack() as held:
        # Those that never begin a handshake count, too.
        for _ in range(3):
            held.enter_context(socket.create_connection(front.address))
        for _ in range(2):
            held.enter_context(front.connect()).sendall(b"GET")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            front.connect()

    def has_room() -> bool:
        with suppress(ssl.SSLError, ConnectionError), front.connect():
            return True
        return False

    wait_for(has_room)
    assert front.ask().status == 200


def test_a_key_has_so_many_requests_at_once(start: START, backend: Upstream) -> None:
    front = start(RVAE_KEY_REQUESTS=3)
    front.keys.write_text(key_line("alice", KEY) + key_line("bob", "other"))
    front.reload()
    go_on = Event()

    def wait(_: Asked) -> bytes:
        go_on.wait(30)
        return answer()

    backend.handler = wait
    with ThreadPoolExecutor(3) as pool:
        held = [pool.submit(front.ask) for _ in range(3)]
        wait_for(lambda: len(backend.asked) == 3)
        refused = front.ask()
        another = ThreadPoolExecutor(1).submit(front.ask, key="other")
        wait_for(lambda: len(backend.asked) == 4)
        go_on.set()
        assert [one.result().status for one in (*held, another)] == [200] * 4
    assert refused.error == (429, "request") and refused.headers["retry-after"] == "1"
    wait_for(lambda: front.ask().status == 200)


def asked_often(front: Proxy, count: int, key: str | None) -> list[Answer]:
    return [front.ask(key=key) for _ in range(count)]


def test_a_key_has_so_many_requests_a_second(start: START, backend: Upstream) -> None:
    front = start(RVAE_KEY_RATE=5)
    front.keys.write_text(key_line("alice", KEY) + key_line("bob", "other"))
    front.reload()
    answers = asked_often(front, 20, KEY)
    refused = [one for one in answers if one.status != 200]
    assert refused and {one.error for one in refused} == {(429, "request")}
    assert {one.headers["retry-after"] for one in refused} == {"1"}
    assert len(backend.asked) == 20 - len(refused) >= 5
    assert front.ask(key="other").status == 200
    wait_for(lambda: front.ask().status == 200)


def test_an_address_has_so_many_wrong_keys_a_second(start: START, backend: Upstream) -> None:
    front = start(RVAE_ANONYMOUS_RATE=1, RVAE_ANONYMOUS_BURST=4)
    found = [one.status for one in asked_often(front, 12, "wrong")]
    assert found[:5] == [401] * 5 and set(found[5:]) <= {401, 429} and 429 in found
    assert front.ask("/ping", None, method="GET", key=None).status == 429
    # Who has a key is not kept out by somebody at the same address.
    assert front.ask().status == 200


def from_address(front: Proxy, address: str) -> int:
    """The status for somebody there without a key, whom the port has told of."""
    family = "TCP6" if ":" in address else "TCP4"
    with short_path(Path(front.environment["RUN"]) / "https.sock") as name:
        plain = socket.socket(socket.AF_UNIX)
        plain.connect(name)
    plain.sendall(f"PROXY {family} {address} {address} 1 2\r\n".encode())
    with front.tls().wrap_socket(plain, server_hostname="localhost") as connection:
        connection.sendall(b"POST /predictions/m HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        (status,) = statuses(b"".join(iter(lambda: connection.recv(10_000), b"")))
    return status


def test_a_network_of_ipv6_counts_as_one_address(start: START) -> None:
    """Somebody who has one of them has all of them."""
    front = start(RVAE_ANONYMOUS_RATE=1, RVAE_ANONYMOUS_BURST=1)
    hosts = count(2)  # each asks once, and is refused for what the first one asked

    def is_refused(network: str) -> bool:
        asking = (f"{network}::1", f"{network}:10a:0:ffff:{next(hosts):x}")
        return [from_address(front, address) for address in asking] == [429, 429]

    wait_for(lambda: is_refused("2001:db8:a:b"))
    # The bytes of a network may be those of a line's end, or of a word of a pattern.
    for other in ("2001:db8:a:c::1", "2001:db8:a:0a0d::1", "::1", "10.1.2.3", "10.1.2.4"):
        assert from_address(front, other) == 401
    wait_for(lambda: is_refused("2001:db8:a:0a0d"))


@pytest.fixture
def networks() -> Iterator[tuple[str, str, str]]:
    """Addresses of this machine: two of one network of IPv6, and one of another."""
    addresses = ("fd5a:1:2:3::1", "fd5a:1:2:3:ffff::2", "fd5a:1:2:4::1")
    added = []
    try:
        for address in addresses:
            command = ["ip", "-6", "address", "add", f"{address}/128", "dev", "lo", "nodad"]
            if shutil.which("ip") is None or subprocess.run(command).returncode:
                pytest.skip("this machine cannot be given addresses of IPv6")
            added.append(address)
        yield addresses
    finally:
        for address in added:
            subprocess.run(
                ["ip", "-6", "address", "del", f"{address}/128", "dev", "lo"], check=True
            )


def test_connections_from_a_network_of_ipv6_count_together(
    networks: tuple[str, str, str], backend: Upstream, tmp_path: Path
) -> None:
    first, same, other = networks
    found = Proxy(tmp_path, f"127.0.0.1:{backend.address[1]}", {"RVAE_ADDRESS_CONNECTIONS": 2})
    found.environment["LISTEN"] = f"[::]:{found.port}"

    def connected(source: str) -> socket.socket:
        address = (networks[0], found.port)
        return socket.create_connection(address, 10, source_address=(source, 0))

    with ExitStack() as held:
        held.callback(found.stop)
        found.start()
        for source in (first, same, other):
            tls = found.tls().wrap_socket(connected(source), server_hostname="localhost")
            held.enter_context(tls)  # which has counted when its handshake is over
        for source, is_closed in ((same, True), (first, True), (other, False)):
            one = held.enter_context(connected(source))
            one.settimeout(1)
            if is_closed:
                with suppress(ConnectionResetError):
                    assert one.recv(1) == b""
            else:
                with pytest.raises(TimeoutError):
                    one.recv(1)


def test_a_client_that_works_hard_is_not_refused(start: START, backend: Upstream) -> None:
    front = start()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: front.ask().status, range(300)))
    assert set(found) == {200}


def test_where_no_body_has_room_it_is_said(start: START, tmp_path: Path) -> None:
    front = start()
    bodies = Path(front.environment["TEMP"]) / "bodies"
    bodies.rmdir()
    assert front.ask().status == 200
    found = front.ask(body=b"x" * 200_000)
    assert found.error == (503, "server") and found.headers["retry-after"] == "1"


@pytest.mark.parametrize("name", ["RVAE_KEY_RATE", "RVAE_BODY_BYTES", "RVAE_ADDRESS_CONNECTIONS"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "1;", "123456789"])
def test_a_limit_that_is_none_is_named(
    backend: Upstream, tmp_path: Path, name: str, value: str
) -> None:
    found = Proxy(tmp_path, f"127.0.0.1:{backend.address[1]}", {name: value})
    assert f"{name}={value}: must be a number" in found.refuse_to_start()


def test_a_connection_that_idles_is_kept_and_one_is_closed_with_its_answer(start: START) -> None:
    front = start()
    get = b"GET /ping HTTP/1.1\r\nHost: x\r\n"
    with closing(front.connect()) as connection, connection.makefile("rb") as heard:
        connection.sendall(get + b"\r\n")
        assert heard.readline().startswith(b"HTTP/1.1 200")
        connection.settimeout(1)
        with pytest.raises(TimeoutError):
            while heard.readline():
                pass
    assert front.speak(get + b"Connection: close\r\n\r\n")[1]
