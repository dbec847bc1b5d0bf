"""Bodies that are too large or too slow, and requests that are too many, are refused in words."""

import json
import socket
from contextlib import ExitStack

import pytest

from tests.support.composition import Composition
from tests.support.exchanges import JSON, ask_at_once
from tests.support.fault_models import MODERATE, PATH, WINDOW
from tests.support.proxied import Proxied
from tests.support.server_metrics import total
from tests.support.smuggling import CHUNKED, START, statuses

pytestmark = pytest.mark.docker

TOO_LARGE = 8_000_000  # bytes
SLOW_CLIENTS = 10
CUT_OFF = 90.0  # seconds, in which a slow client is
MANY = 300  # requests at the same time
CONNECTIONS = "rvae_gateway_connections"  # with the server, which are those of the proxy


def key_of(service: Proxied) -> bytes:
    return f"Authorization: Bearer {service.key}\r\n".encode()


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(service: Proxied) -> None:
    head = START + key_of(service) + b"Content-Length: %d\r\n\r\n" % TOO_LARGE
    heard, _ = service.speak(head, quiet=10)
    assert statuses(heard) == [413], heard
    assert json.loads(heard.partition(b"\r\n\r\n")[2])["code"] == 413


def test_a_body_in_chunks_is_refused_once_it_is_too_large(service: Proxied) -> None:
    chunk = b"%x\r\n%b\r\n" % (100_000, bytes(100_000))
    said = START + key_of(service) + CHUNKED + b"\r\n" + chunk * (TOO_LARGE // 100_000)
    heard, closed = service.speak(said + b"0\r\n\r\n", quiet=10)
    assert statuses(heard) in ([413], []) and closed, heard


@pytest.mark.parametrize("sent", [b"", b"Content-Length: 5000\r\n\r\n{"], ids=["head", "body"])
def test_slow_clients_are_cut_off_and_the_server_never_sees_them(
    composition: Composition, service: Proxied, sent: bytes
) -> None:
    assert service.ask(body=WINDOW).status == 200
    before = total(composition, CONNECTIONS)
    with ExitStack() as stack:
        slow = []
        for _ in range(SLOW_CLIENTS):
            plain = stack.enter_context(socket.create_connection(service.address, CUT_OFF))
            one = stack.enter_context(
                service.tls.wrap_socket(plain, server_hostname=service.address[0])
            )
            one.sendall(START + key_of(service) + sent)
            slow.append(one)
        assert all(service.ask(body=WINDOW).status == 200 for _ in range(20))
        assert total(composition, CONNECTIONS) <= before + 1
        for one in slow:
            while one.recv(1 << 16):
                pass  # an answer may say why


def test_too_many_requests_are_told_when_to_come_again(service: Proxied) -> None:
    answers = ask_at_once(
        service.address, PATH, [MODERATE] * MANY, JSON | service.credentials, tls=service.tls
    )
    refused = [answer for answer in answers if answer.status != 200]
    assert len(refused) < MANY
    assert {answer.status for answer in refused} <= {429, 503}
    for answer in refused:
        assert int(answer.headers["retry-after"]) >= 1
        assert json.loads(answer.body)["code"] == answer.status
    assert service.ask(body=WINDOW).status == 200
