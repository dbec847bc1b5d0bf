"""Bytes that proxy and server might read as different requests, through both of them."""

import re

import pytest

from tests.support.fault_models import WINDOW
from tests.support.proxied import Proxied
from tests.support.smuggling import (
    AMBIGUOUS,
    CHUNKED,
    CHUNKS,
    LENGTH,
    START,
    STRANGE,
    statuses,
)

pytestmark = pytest.mark.docker


def with_key(service: Proxied, said: bytes) -> bytes:
    """The same with a key in each head, so that it is not refused for the lack of one."""
    key = f"Authorization: Bearer {service.key}\r\n".encode()
    return re.sub(rb"(HTTP/1\.[01]\r\n)(?=[A-Z])", rb"\1" + key, said)


@pytest.mark.parametrize("said", [*AMBIGUOUS.values(), *STRANGE.values()], ids=AMBIGUOUS | STRANGE)
def test_what_is_hidden_is_not_answered_by_the_server(service: Proxied, said: bytes) -> None:
    heard, closed = service.speak(with_key(service, said), quiet=10)
    assert closed or statuses(heard), heard
    assert all(400 <= status < 600 for status in statuses(heard)), heard
    assert b"modelName" not in heard and b"modelUrl" not in heard


@pytest.mark.parametrize(
    "body",
    [
        CHUNKED + b"\r\n" + CHUNKS,
        CHUNKED + b"\r\n1;a=b\r\n{\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(WINDOW) - 1, WINDOW[1:]),
        LENGTH + b"\r\n" + WINDOW,
    ],
    ids=["chunks", "extension", "length"],
)
def test_what_follows_a_sound_request_is_answered_after_it_or_not_at_all(
    service: Proxied, body: bytes
) -> None:
    last = START + b"Connection: close\r\n" + LENGTH + b"\r\n" + WINDOW
    heard, closed = service.speak(with_key(service, START + body + last), quiet=30)
    assert closed and statuses(heard) in ([200], [200, 200]), heard
