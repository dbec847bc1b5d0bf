"""Requests of which two readers may see different ends: none of them reaches the backend.

Netty 4.1.53, which TorchServe speaks HTTP with, takes most of them, many for two requests.
"""

import asyncio

import pytest

from rvae.serving.gateway.messages import Answer
from tests.support.gateways import Asked, front, statuses

LINE = "POST /predictions/m HTTP/1.1\r\nHost: here\r\n"
CHUNKED = f"{LINE}Transfer-Encoding: chunked\r\n\r\n"
HIDDEN = "POST /predictions/hidden HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n"
END = "0\r\n\r\n"
LENGTH = f"Content-Length: {len(END + HIDDEN)}\r\n"

AMBIGUOUS = {
    # CVE-2025-58056
    "line feed in a chunk extension": f"{CHUNKED}2;\nxx\r\n{END}{HIDDEN}",
    "one request to who reads on to the line's end": (
        f"{CHUNKED}14;\nxx\r\n{'A' * 16}\r\n05\r\n{len('Z' + END + HIDDEN) + 2:x}\r\n"
        f"Z\r\n{END}{HIDDEN}\r\n{END}"
    ),
    # CVE-2026-33870
    "line end in a quoted chunk extension": f'{CHUNKED}1;a="\r\nX\r\n{END}{HIDDEN}"\r\nY\r\n{END}',
    "chunks and a length": f"{LINE}{LENGTH}Transfer-Encoding: chunked\r\n\r\n{END}{HIDDEN}",
    # CVE-2026-42581
    "chunks and a length in HTTP/1.0": (
        f"POST /predictions/m HTTP/1.0\r\nHost: here\r\nConnection: keep-alive\r\n{LENGTH}"
        f"Transfer-Encoding: chunked\r\n\r\n{END}{HIDDEN}"
    ),
    # CVE-2026-89044
    "a coding after the chunks": (
        f"{LINE}Transfer-Encoding: chunked, xchunked\r\n\r\n{END}{HIDDEN}"
    ),
    "an unknown coding and a length": (
        f"{LINE}Transfer-Encoding: xchunked\r\n{LENGTH}\r\n{END}{HIDDEN}"
    ),
    # CVE-2021-43797
    "control character in a header's name": f"{LINE}\x0b{LENGTH}\r\n{END}{HIDDEN}",
    "space after a header's name": f"{LINE}{LENGTH.replace(':', ' :')}\r\n{END}{HIDDEN}",
    "two lengths": f"{LINE}Content-Length: 0\r\n{LENGTH}\r\n{END}{HIDDEN}",
    # CVE-2026-50020
    "control characters before": f"\x00\x01\x1f{HIDDEN}",
    "line feeds for line ends": HIDDEN.replace("\r", ""),
    "a folded header": f"{LINE}Transfer-Encoding:\r\n chunked\r\n{LENGTH}\r\n{END}{HIDDEN}",
}


async def accept(asked: Asked) -> Answer:
    return Answer(200, b"{}")


@pytest.mark.parametrize("sent", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_can_be_read_in_two_ways_is_refused(sent: str) -> None:
    async def run() -> None:
        async with front(accept) as one:
            received = await one.raw(sent.encode("latin-1"))
            assert statuses(received) == [400]
            assert b"connection: close" in received.lower()
            assert one.asked == []

    asyncio.run(run())


def test_bodies_in_chunks_reach_the_backend_in_one_piece_with_a_length() -> None:
    async def run() -> None:
        sent = CHUNKED.replace("Host", "Connection: close\r\nHost") + "3;a=b\r\nabc\r\n2\r\nde\r\n"
        async with front(accept) as one:
            assert statuses(await one.raw((sent + END).encode())) == [200]
            (asked,) = one.asked
            assert (asked.body, asked.headers["content-length"]) == (b"abcde", "5")
            assert "transfer-encoding" not in asked.headers

    asyncio.run(run())
