"""Requests that are sent until they are answered, or there is no time left.

A prediction changes nothing on the server: it is safe to ask for it again.
"""

import random
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import TypeVar

import orjson

from rvae.client.errors import AnswerError, RefusedError, UnavailableError
from rvae.client.transport import Answer, Call, Outgoing, Transport

__all__ = ["ask"]

T = TypeVar("T")

# The request never arrived, too many came at once, or the server is being replaced.
TRANSIENT = frozenset({408, 429, 502, 503, 504})
FIRST_SECONDS, MOST_SECONDS = 0.1, 5.0
# An answer that cannot be read may have been cut; one that comes again is what the server means.
MOST_UNREADABLE = 3


def ask(
    transport: Transport,
    request: Outgoing,
    read: Callable[[Answer], T],
    seconds: float,
    call: Call,
) -> T:
    """What is read from the answer to a request.

    Args:
        transport: The server.
        request: The request.
        read: Reads an answer of status 200; raises an `AnswerError` if it is not to the request.
        seconds: How long all of it may take.
        call: The call that it belongs to.

    Raises:
        RefusedError: If the server refuses it.
        AnswerError: If answers are not what was asked for, again and again.
        UnavailableError: If there is none in time.
    """
    began = time.monotonic()
    end = began + call.left(seconds)
    attempt, unreadable = 0, 0
    while True:
        after = 0.0
        problem: UnavailableError
        left = end - time.monotonic()
        try:
            answer = transport.send(request, max(left, 0.001), call)
            if answer.status == 200:
                return read(answer)
            problem = _problem(answer)
            after = _retry_after(answer)
        except AnswerError as error:
            unreadable += 1
            if unreadable == MOST_UNREADABLE:
                raise
            problem = error
        except (TimeoutError, ConnectionError) as error:
            problem = UnavailableError(None, "server", str(error))
        # Those who were refused together should not come back together.
        pause = max(after, min(FIRST_SECONDS * 2**attempt, MOST_SECONDS) * random.uniform(0.5, 1))
        left = end - time.monotonic()
        if pause >= left or call.ended.wait(pause):
            tried = f"gave up after {time.monotonic() - began:.1f} s"
            if after > left > 0:
                tried += f", as the server asks to wait for {after:.3g} s"
            message = f"{problem.message}: {tried}"
            raise UnavailableError(problem.status, problem.field, message) from problem
        attempt += 1


def _problem(answer: Answer) -> UnavailableError:
    """What is wrong with an answer, if asking again may help.

    Raises:
        RefusedError: If it does not help.
        AnswerError: If nobody knows, as after a redirection.
    """
    field, message = _said(answer)
    if answer.status in TRANSIENT:
        return UnavailableError(answer.status, field, message)
    if answer.status < 400:
        where = answer.headers.get("location", "somewhere else")
        message = f"answers {answer.status} and points to {where}: give that address"
        # To follow it could turn the request into another one.
        raise RefusedError(answer.status, "server", message)
    raise RefusedError(answer.status, field, message)


def _said(answer: Answer) -> tuple[str, str]:
    """Field and message of an error, also of one that is none of the contract."""
    try:
        content = orjson.loads(answer.body)
        return str(content["field"]), str(content["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        text = " ".join(answer.body[:200].decode(errors="replace").split())
        return "server", f"answers {answer.status}" + (f": {text}" if text else "")


def _retry_after(answer: Answer) -> float:
    """Seconds that the server asks to wait, as a number or as a date."""
    value = answer.headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return 0.0
