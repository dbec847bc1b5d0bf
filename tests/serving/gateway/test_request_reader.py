import tracemalloc
from collections.abc import Callable

import orjson
import pytest

from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.request_reader import MAX_HEADERS, RefusalError, RequestReader
from tests.support.gateways import post

LIMITS = GatewayLimits(body_bytes=1000, head_bytes=500)
START = b"POST /p HTTP/1.1\r\nHost: x\r\n"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n"


def fed(sent: bytes, step: int | None = None, limits: GatewayLimits = LIMITS) -> RequestReader:
    """A reader that was given these bytes, in pieces."""
    reader, step = RequestReader(limits), step or len(sent)
    for start in range(0, len(sent), step):
        reader.feed(memoryview(sent)[start : start + step])
    return reader


def refused(sent: bytes, step: int | None = None) -> tuple[int, str]:
    with pytest.raises(RefusalError) as error:
        fed(sent, step)
    content = orjson.loads(error.value.answer.body)
    assert content["code"] == error.value.answer.status
    return content["code"], content["field"]


@pytest.mark.parametrize("step", [None, 1, 7])
@pytest.mark.parametrize(
    ("sent", "body", "keep_alive"),
    [
        (START + b"Content-Length: 4\r\n\r\nfour", b"four", True),
        (START + b"Connection: close\r\nContent-Length: 4\r\n\r\nfour", b"four", False),
        (START.replace(b"1.1", b"1.0") + b"Content-Length: 4\r\n\r\nfour", b"four", False),
        (CHUNKED + b"1;a=b\r\nf\r\n3\r\nour\r\n0\r\nTrailer: x\r\n\r\n", b"four", True),
        (START + b"\r\n", b"", True),
        (b"\r\n\r\n" + START + b"\r\n", b"", True),
        (START + b"Content-Length: 1000\r\n\r\n" + b"x" * 1000, b"x" * 1000, True),
    ],
)
def test_requests_are_read_in_whatever_pieces_they_come(
    sent: bytes, body: bytes, keep_alive: bool, step: int | None
) -> None:
    reader = fed(sent, step)
    assert reader.is_complete and reader.keep_alive == keep_alive
    request = reader.request()
    assert (request.head.method, request.head.target) == ("POST", "/p")
    assert request.head.headers["host"] == "x" and "trailer" not in request.head.headers
    assert request.body == body and reader.size == reader.expected_size == len(body)


@pytest.mark.parametrize("step", [None, 1])
def test_another_protocol_is_not_begun(step: int | None) -> None:
    upgrade = START + b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
    chunked = b"Transfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\r\n"
    for rest in (b"Content-Length: 4\r\n\r\nfour", chunked, b"Content-Length: 0\r\n\r\n"):
        reader = fed(upgrade + rest, step)
        assert reader.is_complete and reader.keep_alive
        request = reader.request()
        assert request.body == (b"four" if b"four" in rest else b"")
        assert (request.head.method, request.head.target) == ("POST", "/p")
        assert not fed(upgrade + rest + b"PRI * HTTP/2.0\r\n\r\n", step).keep_alive
    tunnel = fed(b"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n" + START, step)
    assert tunnel.is_complete and not tunnel.keep_alive


def test_repeated_headers_are_joined() -> None:
    reader = fed(START + b"Accept: a\r\naccept: b\r\n\r\n")
    assert reader.request().head.headers["accept"] == "a, b"


@pytest.mark.parametrize("step", [None, 1])
@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4",
        b"Content-Length: 4\r\nContent-Length: 4",
        b"Content-Length: 4, 4",
        b"Content-Length: +4",
        b"Content-Length: 0x4",
        b"Content-Length: ",
        b"Content-Length: 99999999999999999999",
        b"Content-Length : 4",
        b"Transfer-Encoding: chunked, gzip",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding:\x0bchunked",
        b"Transfer-Encoding:\r\n chunked",
        b"A: b\r\n c",
        b"A: b\nB: c",
        b"A: b\rB: c",
        b"A: b\0",
        b"A\0: b",
        b" A: b",
        b": b",
        b"no colon",
    ],
)
def test_what_others_may_read_differently_is_refused(head: bytes, step: int | None) -> None:
    assert refused(START + head + b"\r\n\r\n4\r\nfour\r\n0\r\n\r\n", step) == (400, "request")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (START + b"Transfer-Encoding: gzip, chunked\r\n\r\n", (501, "Transfer-Encoding")),
        (START + b"Transfer-Encoding: xchunked\r\n\r\n", (501, "Transfer-Encoding")),
        (START + b"Transfer-Encoding: identity\r\n\r\n", (501, "Transfer-Encoding")),
        (CHUNKED.replace(b"1.1", b"1.0"), (501, "Transfer-Encoding")),
        (b"POST /p HTTP/1.1\r\n\r\n", (400, "Host")),
        (START + b"Host: y\r\n\r\n", (400, "Host")),
        (b"GET /p HTTP/2.0\r\nHost: x\r\n\r\n", (505, "request")),
        (b"GET /p\r\n\r\n", (505, "request")),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, "request")),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), (400, "request")),
        (CHUNKED + b"1\nf\r\n", (400, "request")),
        (CHUNKED + b"-1\r\nf\r\n", (400, "request")),
        (CHUNKED + b"ffffffffffffffffff\r\nf\r\n", (400, "request")),
        (CHUNKED + b"1\r\nfour\r\n", (400, "request")),
    ],
)
def test_other_refusals(sent: bytes, expected: tuple[int, str]) -> None:
    assert refused(sent) == refused(sent, 1) == expected


@pytest.mark.parametrize("step", [None, 1, 100])
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"POST /" + b"p" * 600, (431, "headers")),
        (b"POST /" + b"p" * 600 + b" HTTP/1.1\r\nHost: x\r\n\r\n", (431, "headers")),
        (START + b"A: " + b"a" * 600, (431, "headers")),
        (START + b"".join(b"A%d: a\r\n" % i for i in range(70)) + b"\r\n", (431, "headers")),
        (b"\r\n" * 300, (431, "headers")),
        (START + b"Content-Length: 1001\r\n\r\n", (413, "body")),
        (CHUNKED + b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n", (413, "body")),
        # Of chunks, what is beside the content.
        (CHUNKED + b"1;" + b"a" * 600, (400, "body")),
        (CHUNKED + b"1\r\nx\r\n" * 200, (400, "body")),
        (CHUNKED + b"0\r\nA: " + b"a" * 600, (400, "body")),
    ],
)
def test_bounds(sent: bytes, expected: tuple[int, str], step: int | None) -> None:
    assert refused(sent, step) == expected


def test_the_number_of_headers_is_bounded() -> None:
    lines = b"".join(b"a%d:\r\n" % number for number in range(MAX_HEADERS))
    with pytest.raises(RefusalError) as error:
        fed(START + lines + b"\r\n", limits=GatewayLimits())
    assert error.value.answer.status == 431


@pytest.mark.parametrize("step", [None, 1, 100])
def test_a_head_within_its_bound_is_read_however_it_is_cut(step: int | None) -> None:
    head = START + b"A: "
    sent = head + b"a" * (LIMITS.head_bytes - len(head) - 4) + b"\r\n\r\n"
    assert len(sent) == LIMITS.head_bytes
    assert fed(sent, step).is_complete
    with pytest.raises(RefusalError):
        fed(sent.replace(b"A: a", b"A: aa"), step)


def test_of_what_follows_a_request_nothing_is_read() -> None:
    reader = fed(START + b"\r\n" + START + b"\r\n")
    assert reader.is_complete and not reader.keep_alive
    assert reader.request().body == b""
    # Some clients end a body with an empty line.
    assert fed(post(b"body") + b"\r\n").keep_alive


@pytest.mark.parametrize("wrap", [lambda body: post(body), lambda body: CHUNKED + chunk(body)])
def test_a_body_that_comes_byte_by_byte_takes_no_more_memory(
    wrap: Callable[[bytes], bytes],
) -> None:
    size = 200_000  # other threads of this process allocate, too
    sent = wrap(b"x" * size)
    reader = RequestReader(GatewayLimits())
    tracemalloc.start()
    for start in range(0, len(sent)):
        reader.feed(memoryview(sent)[start : start + 1])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reader.request().body == b"x" * size and peak < 2 * size


def chunk(body: bytes) -> bytes:
    parts = [b"64\r\n" + body[start : start + 100] for start in range(0, len(body), 100)]
    return b"\r\n".join(parts) + b"\r\n0\r\n\r\n"
