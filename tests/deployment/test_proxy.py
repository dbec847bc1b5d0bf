"""What the proxy lets through, and what of it: run by this machine's nginx, over TLS."""

import http.client
import json
import ssl
from contextlib import closing
from hashlib import sha256
from typing import Any

import pytest

from tests.support.proxy import KEY, Proxy
from tests.support.smuggling import statuses
from tests.support.upstream import Upstream, answer
from tests.support.waiting import wait_for


def test_what_reaches_the_server_is_a_path_a_length_and_known_headers(
    shared_front: Proxy, backend: Upstream
) -> None:
    known = {
        "Content-Type": "text/csv",
        "Accept": "application/json",
        "Rvae-Options": '{"stride": 2}',
        "Inference-Header-Content-Length": "7",
    }
    unknown = {
        "X-Request-Id": "mine",
        "Rvae-Ticket": "0-0",
        "Describe": "True",
        "Cookie": "a=b",
        "X-Forwarded-For": "10.0.0.1",
        "Connection": "close, rvae-options",
        "Host": "elsewhere",
    }
    sent = shared_front.ask("/predictions/m/1.0?secret=1", b"a,b\n1,2\n", {**known, **unknown})
    assert sent.status == 200
    (asked,) = backend.asked
    assert asked.line == "POST /predictions/m/1.0 HTTP/1.1" and asked.body == b"a,b\n1,2\n"
    identifier = asked.headers.pop("x-request-id")
    assert asked.headers == {
        **{name.lower(): value for name, value in known.items()},
        "content-length": "8",
        "host": "server",
        "connection": "close",
    }
    assert len(identifier) == 32 and sent.headers["x-request-id"] == identifier


@pytest.mark.parametrize("size", [0, 1, 100_000, 6_553_500])
def test_a_body_in_chunks_comes_whole_and_with_its_length(
    shared_front: Proxy, backend: Upstream, size: int
) -> None:
    body = b"x" * size
    pieces = (body[at : at + 30_011] for at in range(0, size, 30_011))
    sent = shared_front.ask(body=pieces)
    assert sent.status == 200
    (asked,) = backend.asked
    assert asked.body == body and asked.headers["content-length"] == str(size)
    assert "transfer-encoding" not in asked.headers


def test_the_servers_answer_passes_with_its_headers(shared_front: Proxy, backend: Upstream) -> None:
    backend.handler = lambda _: answer(200, b"PAR1", "Content-Type: x/y", "Rvae-Version: 1.0")
    found = shared_front.ask()
    assert (found.status, found.body) == (200, b"PAR1")
    assert (found.headers["content-type"], found.headers["rvae-version"]) == ("x/y", "1.0")
    assert "server" not in found.headers


@pytest.mark.parametrize("status", [400, 404, 406, 408, 410, 413, 415, 422, 431, 500, 502, 503])
def test_the_servers_errors_pass_untouched(
    shared_front: Proxy, backend: Upstream, status: int
) -> None:
    body = b'{"code": %d, "message": "of the server", "field": "x"}' % status
    backend.handler = lambda _: answer(
        status, body, "Content-Type: application/json", "Retry-After: 7", "Rvae-Version: 2.0"
    )
    found = shared_front.ask()
    assert (found.status, found.body) == (status, body)
    assert (found.headers["retry-after"], found.headers["rvae-version"]) == ("7", "2.0")


def test_a_large_answer_comes_whole(shared_front: Proxy, backend: Upstream) -> None:
    body = bytes(range(256)) * 27_000
    backend.handler = lambda _: answer(200, body)
    assert shared_front.ask().body == body


@pytest.mark.parametrize(
    "said",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Basic {KEY}",
        KEY,
        f"Bearer {KEY}x",
        f"Bearer {KEY[:-1]}",
        f"Bearer {KEY.upper()}",
        f"Bearer {KEY} {KEY}",
        f"Bearer {KEY},{KEY}",
        f"Bearer,{KEY}",
        f"Bearer\t{KEY}",
        f"Bearer {sha256(KEY.encode()).hexdigest()}",
        "Bearer alice",
        "Bearer default",
        "Bearer " + "a" * 5000,
        "Bearer \xff",
    ],
)
def test_nobody_without_a_key_is_let_in(
    shared_front: Proxy, backend: Upstream, said: str | None
) -> None:
    headers = {} if said is None else {"Authorization": said}
    found = shared_front.ask(headers=headers, key=None)
    assert found.error == (401, "Authorization")
    assert found.headers["www-authenticate"] == "Bearer"
    assert backend.asked == []


@pytest.mark.parametrize(
    "said", [f"Bearer {KEY}", f"bearer {KEY}", f"BEARER  {KEY} ", "Bearer b-o_b.~+/="]
)
def test_every_key_is_let_in(shared_front: Proxy, said: str) -> None:
    assert shared_front.ask(headers={"Authorization": said}).status == 200


def test_two_keys_in_one_request_are_none(shared_front: Proxy, backend: Upstream) -> None:
    line = f"Authorization: Bearer {KEY}\r\n"
    head = f"GET /predictions/m HTTP/1.1\r\nHost: x\r\n{line}{line}\r\n"
    heard, _ = shared_front.speak(head.encode())
    assert statuses(heard) == [400] and backend.asked == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/predictions/m"),
        ("GET", "/predictions/m/1.0"),
        ("HEAD", "/predictions/m"),
        ("POST", "/explanations/m"),
        ("POST", "/explanations/m/1.0"),
        ("GET", "/v2"),
        ("GET", "/v2/models/m"),
        ("GET", "/v2/models/m/ready"),
        ("GET", "/v2/models/m/versions/1.0"),
        ("GET", "/v2/models/m/versions/1.0/ready"),
        ("POST", "/v2/models/m/infer"),
        ("POST", "/v2/models/m/versions/1.0/infer"),
        ("POST", "/predictions/" + "a" * 128),
        ("POST", "/predictions/...~+-_"),
    ],
)
def test_what_may_be_asked_with_a_key(
    shared_front: Proxy, backend: Upstream, method: str, path: str
) -> None:
    assert shared_front.ask(path, method=method).status == 200
    assert [one.line for one in backend.asked] == [f"{method} {path} HTTP/1.1"]
    assert shared_front.ask(path, method=method, key=None).status == 401
    assert len(backend.asked) == 1


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/predictions/m", "GET, HEAD, POST"),
        ("/explanations/m", "POST"),
        ("/v2/models/m", "GET, HEAD"),
        ("/v2/models/m/infer", "POST"),
        ("/ping", "GET, HEAD"),
        ("/openapi.yaml", "GET, HEAD"),
    ],
)
def test_other_methods_are_refused(
    shared_front: Proxy, backend: Upstream, path: str, allowed: str
) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"):
        if method in allowed:
            continue
        found = shared_front.ask(path, method=method)
        assert found.error == (405, "method") and found.headers["allow"] == allowed
    assert backend.asked == []


def test_a_method_that_no_path_has_is_refused_in_words(shared_front: Proxy) -> None:
    found = shared_front.ask(body=None, method="TRACE")
    assert found.error == (405, "method") and b'"must be GET, HEAD or POST"' in found.body


@pytest.mark.parametrize(
    ("path", "ready", "not_ready"),
    [
        ("/ping", {"status": "Healthy"}, {"status": "Unhealthy"}),
        ("/v2/health/live", {"live": True}, {"live": False}),
        ("/v2/health/ready", {"ready": True}, {"ready": False}),
    ],
)
def test_readiness_needs_no_key_and_tells_no_reasons(
    shared_front: Proxy, backend: Upstream, path: str, ready: object, not_ready: object
) -> None:
    body = b'{"reasons": ["/disk is full"], "path": "/models"}'
    for status, said in ((200, ready), (503, not_ready), (500, not_ready)):
        reply = answer(status, body)
        backend.handler = lambda _, reply=reply: reply  # type: ignore[misc]
        found = shared_front.ask(path, None, method="GET", key=None)
        assert found.status == (200 if status == 200 else 503)
        assert json.loads(found.body) == said
        assert ("retry-after" in found.headers) == (status != 200)
        assert shared_front.ask(path, None, method="HEAD", key=None).status == found.status
    assert {one.line for one in backend.asked} == {f"GET {path} HTTP/1.1"}


def test_a_page_and_a_description_of_the_api_need_no_key(shared_front: Proxy) -> None:
    page = shared_front.ask("/docs/", None, method="GET", key=None)
    assert page.status == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy
    assert b"http" not in page.body.replace(b"http-equiv", b"")  # nothing of another host
    document = shared_front.ask("/openapi.yaml", None, method="GET", key=None)
    assert document.body.startswith(b"openapi: 3.1")
    moved = shared_front.ask("/docs", None, method="GET", key=None)
    assert (moved.status, moved.headers["location"]) == (308, "/docs/")
    assert shared_front.ask("/docs/start.js", None, method="GET").status == 200
    for path in ("/docs/../openapi.yaml", "/docs/none", "/docs/%2e%2e/openapi.yaml", "/docs/."):
        assert shared_front.ask(path, None, method="GET").error == (404, "path")


def test_a_client_that_waits_for_leave_is_given_it(shared_front: Proxy, backend: Upstream) -> None:
    head = f"POST /predictions/m HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
    with shared_front.connect() as connection, connection.makefile("rb") as heard:
        connection.sendall(f"{head}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode())
        assert heard.readline() == b"HTTP/1.1 100 Continue\r\n" and heard.readline() == b"\r\n"
        connection.sendall(b"{}")
        assert heard.readline().startswith(b"HTTP/1.1 200")
    assert "expect" not in backend.asked[0].headers
    with shared_front.connect() as connection, connection.makefile("rb") as heard:
        stranger = head.replace(KEY, "none")
        connection.sendall(f"{stranger}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode())
        assert heard.readline().startswith(b"HTTP/1.1 401")


def test_many_requests_share_a_connection(shared_front: Proxy, backend: Upstream) -> None:
    connection = http.client.HTTPSConnection(
        "localhost", shared_front.port, context=shared_front.tls()
    )
    with closing(connection):
        connection.connect()
        used = connection.sock
        for body in (b"1", b"22" * 50_000, b"3"):
            connection.request("POST", "/predictions/m", body, {"Authorization": f"Bearer {KEY}"})
            assert connection.getresponse().read() == b"{}"
            assert connection.sock is used
        for status in (401, 404, 405):
            connection.request("PUT" if status == 405 else "GET", "/x" if status == 404 else "/v2")
            response = connection.getresponse()
            response.read()
            assert response.status == status and connection.sock is used
    assert len(backend.asked) == 3


def test_the_log_names_the_client_and_no_secret(shared_front: Proxy, backend: Upstream) -> None:
    sent = {"path": "/predictions/m?token=hidden-query", "body": b"hidden-body"}
    asked = [shared_front.ask(**sent), shared_front.ask(**sent, key="hidden-key")]  # type: ignore[arg-type]
    # Nor does what fails, or is refused.
    backend.handler = lambda _: b""
    foreign = {"Referer": "hidden-\x1b[31m-page"}
    assert shared_front.ask(**sent, headers=foreign).status == 503  # type: ignore[arg-type]
    large = {**sent, "body": b"hidden" * 2_000_000}
    assert shared_front.ask(**large, headers=foreign).status == 413  # type: ignore[arg-type]
    assert shared_front.ask("/docs/none?hidden", None, foreign, "GET").status == 404
    identifiers = [one.headers["x-request-id"] for one in asked]

    def lines() -> dict[str, dict[str, Any]]:
        return {one["request"]: one for one in shared_front.logged()}

    wait_for(lambda: set(identifiers) <= lines().keys())  # it is written after the answer
    let_in, refused = (lines()[one] for one in identifiers)
    assert {"time", "seconds", "bytes_in", "bytes_out"} < let_in.keys()
    told = {"method": "POST", "path": "/predictions/m", "address": "127.0.0.1"}
    assert (told | {"client": "alice", "status": 200}).items() <= let_in.items()
    assert (told | {"client": "", "status": 401}).items() <= refused.items()
    logs = shared_front.log.read_text() + shared_front.text()
    assert "hidden" not in logs and KEY not in logs


def test_only_current_tls_is_spoken(shared_front: Proxy) -> None:
    with shared_front.connect() as connection:
        assert connection.version() == "TLSv1.3"
        assert connection.selected_alpn_protocol() is None
    older = shared_front.tls()
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    older.set_alpn_protocols(["h2", "http/1.1"])
    plain = http.client.HTTPSConnection("localhost", shared_front.port, context=older)
    with closing(plain):
        plain.connect()
        cipher = plain.sock.cipher()
        assert cipher is not None and cipher[0].startswith("ECDHE") and "GCM" in cipher[0]
        assert plain.sock.selected_alpn_protocol() == "http/1.1"
    for names in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA"):
        weak = shared_front.tls()
        weak.maximum_version = ssl.TLSVersion.TLSv1_2
        weak.set_ciphers(names)
        with (
            pytest.raises(ssl.SSLError),
            closing(
                http.client.HTTPSConnection("localhost", shared_front.port, context=weak)
            ) as refused,
        ):
            refused.connect()


def test_who_speaks_no_tls_is_told_so(shared_front: Proxy) -> None:
    with closing(http.client.HTTPConnection("localhost", shared_front.port)) as connection:
        connection.request("GET", "/ping", headers={"Authorization": f"Bearer {KEY}"})
        response = connection.getresponse()
        assert response.status == 400 and b"https://" in response.read()
