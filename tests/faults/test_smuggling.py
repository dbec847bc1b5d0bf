"""Bytes that are no request, or that two servers would read as different ones."""

import json

import pytest

from tests.support.exchanges import Answer, ask, speak
from tests.support.fault_models import PATH, WINDOW
from tests.support.outages import honest
from tests.support.served_process import ServedProcess
from tests.support.smuggling import (
    AMBIGUOUS,
    CHUNKED,
    CHUNKS,
    ELSEWHERE,
    LENGTH,
    START,
    STRANGE,
    statuses,
)

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("said", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_is_ambiguous_has_one_answer_and_ends_the_connection(
    lasting: ServedProcess, said: bytes
) -> None:
    heard, closed = speak(lasting.address, said, quiet=30)
    assert closed, heard
    assert all(400 <= status < 600 for status in statuses(heard)), heard
    assert len(statuses(heard)) <= 1, heard
    assert b"modelName" not in heard and b"modelUrl" not in heard


@pytest.mark.parametrize("said", STRANGE.values(), ids=STRANGE)
def test_what_is_strange_has_one_answer_and_ends_the_connection(
    lasting: ServedProcess, said: bytes
) -> None:
    heard, closed = speak(lasting.address, said, quiet=30)
    assert closed and len(statuses(heard)) <= 1, heard


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ELSEWHERE)
def test_no_path_leads_to_the_management(lasting: ServedProcess, path: str, method: str) -> None:
    said = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    heard, _ = speak(lasting.address, said.encode())
    assert len(statuses(heard)) == 1 and 400 <= statuses(heard)[0] < 500, heard
    assert b"modelName" not in heard and b"modelUrl" not in heard


@pytest.mark.parametrize(
    "name", ["waves%0d%0aX-A:b", "%00", "..", "a" * 5000, "%F0%9F%92%A9", "%zz", "a b", "{x}"]
)
def test_names_of_models_that_are_none(lasting: ServedProcess, name: str) -> None:
    said = f"POST /predictions/{name} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    heard, _ = speak(lasting.address, said.encode())
    assert len(statuses(heard)) == 1 and 400 <= statuses(heard)[0] < 500, heard
    assert b"\r\nX-A:" not in heard


@pytest.mark.parametrize(
    "body",
    [
        CHUNKED + b"\r\n" + CHUNKS,
        CHUNKED + b"\r\n1;a=b\r\n{\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(WINDOW) - 1, WINDOW[1:]),
        CHUNKED + b"Trailer: X-A\r\n\r\n" + CHUNKS[:-2] + b"X-A: b\r\n\r\n",
        LENGTH + b"\r\n" + WINDOW,
    ],
    ids=["chunks", "extension", "trailer", "length"],
)
def test_what_follows_a_sound_request_is_answered_after_it_or_not_at_all(
    lasting: ServedProcess, body: bytes
) -> None:
    last = START + b"Connection: close\r\n" + LENGTH + b"\r\n" + WINDOW
    heard, closed = speak(lasting.address, START + body + last, quiet=30)
    assert closed and statuses(heard) in ([200], [200, 200]), heard


def test_a_client_that_waits_for_leave_is_given_it(lasting: ServedProcess) -> None:
    last = START + LENGTH + b"Expect: 100-continue\r\nConnection: close\r\n\r\n" + WINDOW
    heard, closed = speak(lasting.address, last, quiet=30)
    assert [status for status in statuses(heard) if status != 100] == [200] and closed, heard


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Describe", "True"),
        ("describe", "True"),
        ("Explain", "True"),
        ("explain", "True"),
        ("Rvae-Ticket", "0-0"),
        ("Rvae-Ticket", "9999999-1"),
        ("Rvae-Ticket", "../../x"),
        ("Rvae-Deferred", "1"),
        ("Rvae-Content-Type", "text/csv"),
        ("X-Request-Id", "x"),
        ("url_path", "x"),
        ("ts_request_sequence_id", "x"),
        ("Content-Encoding", "gzip"),
        ("data", "x"),
        ("body", "x"),
    ],
)
def test_no_header_of_a_client_is_taken_for_one_of_the_server(
    lasting: ServedProcess, name: str, value: str
) -> None:
    def content(answer: Answer) -> object:
        assert answer.status == 200, answer
        return json.loads(answer.body)

    json_type = {"Content-Type": "application/json"}
    plain = ask(lasting.address, PATH, WINDOW, json_type)
    dressed = ask(lasting.address, PATH, WINDOW, {**json_type, name: value})
    if name == "Content-Encoding" and dressed.status == 415:
        return
    assert content(dressed) == content(plain)


def test_after_all_that_the_server_is_as_before(lasting: ServedProcess) -> None:
    with honest(lasting) as client:
        pass
    assert client.failed == 0
