import time
from collections.abc import Iterator
from email.utils import formatdate

import pytest

from rvae.client import retries
from rvae.client.errors import AnswerError, RefusedError, UnavailableError
from rvae.client.retries import ask
from rvae.client.transport import Answer, Call, Outgoing, Transport
from tests.support.faulty_server import FaultyServer, cut, drop, status

POST = Outgoing("/predictions/waves", b"{}")
FINE = status(200, {}, b"fine")


@pytest.fixture
def transport(faulty: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Transport]:
    monkeypatch.setattr(retries, "FIRST_SECONDS", 0.001)
    made = Transport(faulty.url, 2, {}, verify=True)
    yield made
    made.close()


def body(answer: Answer) -> bytes:
    return answer.body


def test_what_may_pass_is_asked_again(transport: Transport, faulty: FaultyServer) -> None:
    passing = [status(code) for code in (408, 429, 502, 503, 504)]
    faulty.faults = [*passing, drop, cut, FINE]
    assert ask(transport, POST, body, 20, Call()) == b"fine"
    assert len(faulty.asked) == len(passing) + 3


@pytest.mark.parametrize("code", [400, 404, 410, 413, 422, 500])
def test_a_refusal_is_not(transport: Transport, faulty: FaultyServer, code: int) -> None:
    said = b'{"code": 422, "field": "data[3]", "message": "is too large"}'
    faulty.faults = [status(code, {}, said), FINE]
    with pytest.raises(RefusedError) as raised:
        ask(transport, POST, body, 20, Call())
    assert (raised.value.status, raised.value.field) == (code, "data[3]")
    assert raised.value.message == "is too large" and len(faulty.asked) == 1


def test_a_refusal_of_something_else_than_rvae_is_told(
    transport: Transport, faulty: FaultyServer
) -> None:
    faulty.faults = [status(403, {}, b"<p>Forbidden,\n here</p>")]
    with pytest.raises(RefusedError, match=r"server: answers 403: <p>Forbidden, here</p>"):
        ask(transport, POST, body, 20, Call())


def test_a_redirection_is_told_and_not_followed(transport: Transport, faulty: FaultyServer) -> None:
    faulty.faults = [status(301, {"Location": "https://here/"})]
    with pytest.raises(RefusedError, match="answers 301 and points to https://here/"):
        ask(transport, POST, body, 20, Call())


@pytest.mark.parametrize("as_date", [False, True])
def test_the_server_says_when_to_come_back(
    transport: Transport, faulty: FaultyServer, as_date: bool
) -> None:
    after = formatdate(time.time() + 2, usegmt=True) if as_date else "0.5"
    faulty.faults = [status(503, {"Retry-After": after}), FINE]
    began = time.monotonic()
    assert ask(transport, POST, body, 20, Call()) == b"fine"
    assert time.monotonic() - began >= 0.5


def test_nobody_waits_for_longer_than_there_is_time(
    transport: Transport, faulty: FaultyServer
) -> None:
    faulty.faults = [status(503, {"Retry-After": "3600"})]
    began = time.monotonic()
    with pytest.raises(UnavailableError, match=r"asks to wait for 3\.6e\+03 s") as raised:
        ask(transport, POST, body, 20, Call())
    assert raised.value.status == 503 and time.monotonic() - began < 10


@pytest.mark.parametrize("call", [Call(), Call(0.3)], ids=["request", "call"])
def test_asking_ends_in_time(transport: Transport, faulty: FaultyServer, call: Call) -> None:
    faulty.faults = [status(503)] * 10_000
    with pytest.raises(UnavailableError, match="gave up after"):
        ask(transport, POST, body, 0.3 if call.left(9) == 9 else 50, call)
    faulty.faults = []


def test_an_unreadable_answer_is_asked_for_again_but_not_for_ever(
    transport: Transport, faulty: FaultyServer
) -> None:
    def read(answer: Answer) -> bytes:
        if answer.body != b"fine":
            raise AnswerError(200, "server", "sent nonsense")
        return answer.body

    faulty.faults = [status(200), status(200), FINE]
    assert ask(transport, POST, read, 20, Call()) == b"fine"
    faulty.faults = [status(200)] * 3 + [FINE]
    with pytest.raises(AnswerError, match="sent nonsense"):
        ask(transport, POST, read, 20, Call())


def test_the_end_of_a_call_ends_the_wait(transport: Transport, faulty: FaultyServer) -> None:
    faulty.faults, call = [status(503, {"Retry-After": "30"})], Call()
    call.end()
    with pytest.raises(UnavailableError):
        ask(transport, POST, body, 60, call)
