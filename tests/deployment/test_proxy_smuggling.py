"""Bytes that two servers would read as different requests, and paths that lead elsewhere."""

import pytest

from tests.support.proxy import KEY, Proxy
from tests.support.smuggling import AMBIGUOUS, CHUNKED, CHUNKS, ELSEWHERE, STRANGE, statuses
from tests.support.upstream import Upstream

AUTHORIZATION = b"Authorization: Bearer %s\r\n" % KEY.encode()
HIDDEN = b"GET /predictions/hidden HTTP/1.1\r\nHost: localhost\r\n" + AUTHORIZATION + b"\r\n"
# Nobody disagrees about where these end: what follows is another request of the same client.
HARMLESS = {"unknown version", "an upgrade"}
START = b"POST /predictions/m HTTP/1.1\r\nHost: localhost\r\n" + AUTHORIZATION


def with_key(said: bytes) -> bytes:
    """An attack by somebody who has a key, who hides a request for a prediction."""
    hidden = b"GET /models HTTP/1.1\r\nHost: localhost\r\n\r\n"
    parts = [
        one.replace(b"Host: localhost\r\n", b"Host: localhost\r\n" + AUTHORIZATION)
        for one in said.split(hidden)
    ]
    return HIDDEN.join(parts)


@pytest.mark.parametrize("name", [*sorted(AMBIGUOUS.keys() - HARMLESS), *STRANGE])
def test_what_is_ambiguous_is_one_request_at_most(
    shared_front: Proxy, backend: Upstream, name: str
) -> None:
    heard, closed = shared_front.speak(with_key({**AMBIGUOUS, **STRANGE}[name]))
    assert closed and len(statuses(heard)) <= 1, heard
    assert len(backend.asked) <= 1
    for asked in backend.asked:  # it was written anew
        assert asked.line.endswith(" /predictions/rvae HTTP/1.1")
        assert asked.headers["content-length"] == str(len(asked.body))
        assert "transfer-encoding" not in asked.headers


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_no_other_protocol_is_spoken(shared_front: Proxy, backend: Upstream, name: str) -> None:
    heard, _ = shared_front.speak(AMBIGUOUS[name].split(b"GET /models HTTP/1.1\r\nHost: l")[0], 1)
    assert len(statuses(heard)) == 1 and statuses(heard)[0] in (404, 505), heard
    assert backend.asked == []


def test_a_connection_ends_with_the_first_body_in_chunks(
    shared_front: Proxy, backend: Upstream
) -> None:
    heard, closed = shared_front.speak(START + CHUNKED + b"\r\n" + CHUNKS + HIDDEN)
    assert closed and statuses(heard) == [200] and b"\r\nConnection: close\r\n" in heard
    assert len(backend.asked) == 1


def test_what_follows_a_body_of_known_length_is_another_request(
    shared_front: Proxy, backend: Upstream
) -> None:
    last = HIDDEN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    heard, closed = shared_front.speak(START + b"Content-Length: 2\r\n\r\n{}" + last)
    assert closed and statuses(heard) == [200, 200]
    assert [one.line.split()[1] for one in backend.asked] == [
        "/predictions/m",
        "/predictions/hidden",
    ]


@pytest.mark.parametrize("length", [b"", b"Content-Length: 5\r\n"])
def test_a_request_without_a_body_has_none_behind(
    shared_front: Proxy, backend: Upstream, length: bytes
) -> None:
    get = START.replace(b"POST", b"GET") + length + b"Connection: close\r\n\r\n"
    heard, closed = shared_front.speak(get + b"hello" * bool(length))
    assert closed and statuses(heard) == [200]
    (asked,) = backend.asked
    assert len(asked.body) == int(asked.headers.get("content-length", "0"))


OWN = ["/.error/401", "/.health", "/.chunks/predictions/m", "/.chunks/.health", "//.health"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path",
    [
        *(path for path in ELSEWHERE if not path.startswith("/v2/")),
        *OWN,
        *("//ping", "/ping/", "/./ping", "/%70ing", "/ping%20", "/ping;x", "/ping#x", "/ping\\"),
        *("/predictions/m/", "/predictions//m", "/predictions/m//1.0", "/predictions/m/1.0/x"),
        *("/predictions/%6d", "/predictions/..", "/predictions/.", "/predictions/m/.."),
        *("/predictions/m%3fx", "/predictions/m%23x", "/predictions/m%0d%0aX-A:b"),
        *("/predictions/" + "a" * 129, "/predictions", "/predictions/", "/predictions/m@x"),
        *("/predictions/m:8081", "http://other:8081/ping/../models", "/v2/", "/v2//models/m"),
        *("/v2/models", "/v2/models/m/../../../models", "/v2/repository/index", "/v2/logging"),
        *("/v2/models/m/unload", "/v2/models/m/versions/1.0/unload", "/v2/health", "/docs/..%2f"),
        *("/openapi.yaml/", "/openapi.yaml.gz", "/docs/start.js/..", "/keys", "/server.key"),
    ],
)
@pytest.mark.parametrize("more", [b"", CHUNKED], ids=["plain", "chunked"])
def test_nothing_but_what_is_allowed_is_reached(
    shared_front: Proxy, backend: Upstream, method: str, path: str, more: bytes
) -> None:
    said = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".encode()
    body = b"0\r\n\r\n" if more else b""
    heard, closed = shared_front.speak(said + AUTHORIZATION + more + b"\r\n" + body)
    assert closed and len(statuses(heard)) == 1 and statuses(heard)[0] in (400, 404), heard
    assert backend.asked == []
    assert b"\r\nX-A:" not in heard


def test_the_host_of_a_request_leads_nowhere(shared_front: Proxy, backend: Upstream) -> None:
    for host in ("127.0.0.1:8081", "server:8081", "metrics", "a\t", "[::1]", "."):
        said = START.replace(b"localhost", host.encode())
        shared_front.speak(said + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}")
    absolute = START.replace(b"/predictions", b"http://metrics:8081/predictions")
    shared_front.speak(absolute + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}")
    assert backend.asked
    for asked in backend.asked:
        assert asked.headers["host"] == "server"
        assert asked.line == "POST /predictions/m HTTP/1.1"
