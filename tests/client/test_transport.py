import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Timer

import pytest
import requests
from requests.adapters import HTTPAdapter

from rvae.client import transport as transport_module
from rvae.client.transport import Call, Outgoing, Transport
from tests.support.faulty_server import Fault, FaultyServer, cut, drip, drop, hang, status

POST = Outgoing("/predictions/waves", b"{}", {"Content-Type": "application/json"})
GET = Outgoing("/predictions/waves")


@pytest.fixture
def transport(faulty: FaultyServer) -> Iterator[Transport]:
    made = Transport(faulty.url, 2, {"X-Key": "7"}, verify=True)
    yield made
    made.close()


def test_a_request_without_a_body_is_got(transport: Transport, faulty: FaultyServer) -> None:
    answer = transport.send(GET, 10, Call())
    assert answer.status == 200 and b'"window"' in answer.body
    answer = transport.send(POST, 10, Call())
    assert answer.status == 422 and answer.headers["content-type"] == "application/json"
    assert faulty.bodies == [b"{}"]


def test_a_connection_is_used_again(transport: Transport, faulty: FaultyServer) -> None:
    before = faulty.connections
    for _ in range(5):
        transport.send(GET, 10, Call())
    assert faulty.connections == before + 1


@pytest.mark.parametrize("fault", [hang, drip], ids=["silent", "dripping"])
def test_whatever_a_server_does_a_request_ends_in_time(
    transport: Transport, faulty: FaultyServer, fault: Fault
) -> None:
    faulty.faults = [fault]
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="did not answer in time"):
        transport.send(POST, 0.3, Call())
    assert time.monotonic() - began < 10
    assert transport.send(GET, 10, Call()).status == 200


def test_so_it_does_behind_a_proxy(faulty: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", faulty.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    faulty.faults = [drip]
    made = Transport("http://server.invalid", 2, {}, verify=True)
    sending = ThreadPoolExecutor(1).submit(made.send, POST, 0.3, Call())
    with pytest.raises(TimeoutError, match="did not answer in time"):
        sending.result(10)
    made.close()
    assert faulty.asked == ["http://server.invalid/predictions/waves"]


@pytest.mark.parametrize("fault", [cut, drop], ids=["cut", "dropped"])
def test_a_part_of_an_answer_is_none(
    transport: Transport, faulty: FaultyServer, fault: Fault
) -> None:
    faulty.faults = [fault]
    with pytest.raises(ConnectionError):
        transport.send(POST, 10, Call())


def test_nobody_is_followed_elsewhere(transport: Transport, faulty: FaultyServer) -> None:
    faulty.faults = [status(307, {"Location": "/elsewhere"})]
    assert transport.send(POST, 10, Call()).status == 307
    assert faulty.asked == ["/predictions/waves"]


def test_an_answer_that_never_ends_is_not_kept(
    transport: Transport, faulty: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "MAX_ANSWER", 1000)
    faulty.faults = [status(200, {}, b"x" * 2000)]
    with pytest.raises(ConnectionError, match="sends more than 1000 bytes"):
        transport.send(POST, 10, Call())


def test_the_end_of_a_call_breaks_off_its_requests(
    transport: Transport, faulty: FaultyServer
) -> None:
    faulty.faults, call = [hang], Call()
    timer = Timer(0.2, call.end)
    timer.start()
    with pytest.raises(ConnectionError):
        transport.send(POST, 50, call)
    timer.join()
    with pytest.raises(ConnectionError):  # and those that begin later
        faulty.faults = [hang]
        transport.send(POST, 50, call)


def test_the_end_of_one_call_leaves_others_alone(
    transport: Transport, faulty: FaultyServer
) -> None:
    ended = Call()
    ended.end()
    assert transport.send(GET, 10, Call()).status == 200


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(ConnectionError, match=r"http://127.0.0.1:1: Connection refused"):
        Transport("http://127.0.0.1:1", 1, {}, verify=True).send(GET, 10, Call())


def test_a_call_has_so_many_seconds_left() -> None:
    assert Call().left(3.0) == 3.0
    assert Call(2.0).left(3.0) <= 2.0 and Call(0.0).left(3.0) == 0.0


def test_certificates_that_were_given_come_before_those_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nothing/here.pem")
    asked: list[object] = []

    def send(self: HTTPAdapter, request: object, **options: object) -> None:
        asked.append(options["verify"])
        raise requests.ConnectionError("enough")

    monkeypatch.setattr(HTTPAdapter, "send", send)
    for verify in ("own.pem", False):
        with pytest.raises(ConnectionError):
            Transport("https://localhost:1", 1, {}, verify).send(Outgoing("/"), 1, Call())
    assert asked == ["own.pem", False]
