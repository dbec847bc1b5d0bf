"""Requests that cost more than they look, and clients that do not wait for what they asked."""

import pytest

from tests.support.exchanges import abandon, ask, ask_at_once
from tests.support.fault_models import EXPENSIVE, HUGE_ANSWER, PATH, WINDOW, long_array
from tests.support.outages import honest
from tests.support.served_process import ServedProcess

pytestmark = pytest.mark.faults

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FIELDS = b"a&" * 3_200_000


def test_forms_of_many_fields_are_refused_at_once(served: ServedProcess) -> None:
    workers = served.workers()
    with honest(served) as client:
        answers = ask_at_once(served.address, PATH, [FIELDS] * 14, FORM)
    assert {answer.status for answer in answers} <= {400, 413, 415, 422, 429, 503}
    assert client.failed == 0 and served.workers() == workers


def test_a_form_in_parts_with_many_fields_is_refused_at_once(served: ServedProcess) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="%d"\r\n\r\n\r\n'
    body = b"".join(part % number for number in range(100_000)) + b"--b--\r\n"
    parts = {"Content-Type": "multipart/form-data; boundary=b"}
    with honest(served) as client:
        answers = ask_at_once(served.address, PATH, [body] * 8, parts)
    assert {answer.status for answer in answers} <= {400, 413, 415, 422, 429, 503}
    assert client.failed == 0


def test_a_large_answer_to_a_small_array_is_refused_before_it_is_made(
    served: ServedProcess,
) -> None:
    workers = served.workers()
    with honest(served) as client:
        answers = ask_at_once(served.address, PATH, [long_array()] * 4, HUGE_ANSWER)
    assert {answer.status for answer in answers} <= {413, 422, 429, 503}
    assert 422 in {answer.status for answer in answers}
    assert client.failed == 0 and served.workers() == workers


def test_what_nobody_waits_for_is_not_computed(served: ServedProcess) -> None:
    with honest(served) as client:
        abandon(served.address, PATH, EXPENSIVE, 300)
        after = ask(served.address, PATH, WINDOW)
    assert after.status == 200 and after.seconds < 2
    assert client.failed == 0


def test_cheap_requests_overtake_expensive_ones(served: ServedProcess) -> None:
    with honest(served) as client:
        answers = ask_at_once(served.address, PATH, [EXPENSIVE] * 8)
    # Those that would wait for longer than the deadline are told to come again.
    assert {answer.status for answer in answers} <= {200, 429, 503}
    assert 200 in {answer.status for answer in answers}
    assert all("retry-after" in answer.headers for answer in answers if answer.status != 200)
    assert client.failed == 0
