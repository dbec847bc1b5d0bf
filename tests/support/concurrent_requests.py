"""Many requests at once, from many connections: what came back, and what is wrong with it."""

import http.client
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from threading import local
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np

from rvae.serving.torchserve import Endpoint
from tests.support.service_client import read_answer
from tests.support.valid_requests import Request

__all__ = ["Answer", "complaints", "send", "table_of"]

CONNECTIONS = 24
PATIENCE = 60.0  # seconds, after which a request hangs


class Answer(NamedTuple):
    """What came back.

    Attributes:
        status: Of HTTP; 0, where the connection was closed without an answer.
        media: Type of the content.
        body: The content.
        seconds: From the first byte that was sent.
    """

    status: int
    media: str
    body: bytes
    seconds: float


def send(server: Endpoint, requests: Sequence[tuple[str, Request]]) -> list[Answer]:
    """Send requests to models, and return what came back, in their order."""
    kept, connections = local(), ExitStack()
    address = urlsplit(server.url).netloc

    def post(named: tuple[str, Request]) -> Answer:
        name, request = named
        if getattr(kept, "connection", None) is None:
            connection = http.client.HTTPConnection(address, timeout=PATIENCE)
            kept.connection = connections.enter_context(closing(connection))
        begin = time.monotonic()
        path = f"/predictions/{name}" + (f"?{request.query}" if request.query else "")
        try:
            kept.connection.request("POST", path, request.body, request.headers)
            response = kept.connection.getresponse()
            body = response.read()
        except (ConnectionError, http.client.HTTPException):
            kept.connection.close()
            return Answer(0, "", b"", time.monotonic() - begin)
        media = response.headers.get("Content-Type", "")
        return Answer(response.status, media, body, time.monotonic() - begin)

    with connections, ThreadPoolExecutor(CONNECTIONS) as pool:
        return list(pool.map(post, requests))


def complaints(
    requests: Iterable[tuple[str, Request]],
    answers: Iterable[Answer],
    alone: Callable[[str, Request], tuple[str, bytes]],
) -> list[str]:
    """What is wrong with answers.

    Args:
        requests: What was sent to which model.
        answers: What came back.
        alone: Type and content of the answer to a sound request, were it the only one.
    """
    said = []
    for (name, request), answer in zip(requests, answers, strict=True):
        if request.sound or (request.sound is None and answer.status == 200):
            wrong = _wrong_answer(request, answer, partial(alone, name, request))
        else:
            wrong = _wrong_refusal(answer)
        if wrong:
            said.append(
                f"{request.kind} to {name}: {wrong}; {answer.status} {answer.body[:300]!r} to "
                f"{request.body[:300]!r} ({len(request.body)} bytes) {request.headers} "
                f"{request.query}"
            )
    return said


def table_of(requests: Iterable[tuple[str, Request]], answers: Iterable[Answer]) -> str:
    """How often each kind was answered with which status, and how long that took at most."""
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    slowest: dict[str, float] = defaultdict(float)
    for (_, request), answer in zip(requests, answers, strict=True):
        counts[request.kind][answer.status] += 1
        slowest[request.kind] = max(slowest[request.kind], answer.seconds)
    lines = [
        f"{kind:26} {sum(statuses.values()):5} {slowest[kind]:7.2f} s  "
        + ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
        for kind, statuses in sorted(counts.items())
    ]
    return "\n".join(lines)


def _wrong_refusal(answer: Answer) -> str | None:
    if not 400 <= answer.status < 500:
        return "expected to be refused"
    if answer.media != "application/json":
        return "is not in JSON"
    fault = json.loads(answer.body)
    if set(fault) - {"error"} != {"code", "message", "field"} or fault["code"] != answer.status:
        return "is not in the form of a refusal"
    if len(fault["message"].split()) < 2:
        return "does not say what is wrong"
    return None


def _wrong_answer(
    request: Request, answer: Answer, alone: Callable[[], tuple[str, bytes]]
) -> str | None:
    if answer.status != 200:
        return "expected to be answered"
    content = read_answer(answer.media, answer.body)
    if not request.sound:
        return None
    media, body = alone()
    if answer.media != media:
        return f"expected {media}"
    return None if _alike(content, read_answer(media, body)) else f"expected {body[:300]!r}"


def _alike(one: Any, other: Any) -> bool:
    """Whether contents are the same, but for what numbers lose on the way through a batch."""
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(_alike(one[k], other[k]) for k in one)
    if hasattr(one, "to_pydict"):
        return _alike(one.to_pydict(), other.to_pydict())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, float | int) and isinstance(other, float | int):
        return bool(np.isclose(one, other, rtol=1e-3, atol=1e-4))
    if isinstance(one, np.ndarray):
        return one.shape == other.shape and np.allclose(one, other, 1e-3, 1e-4, equal_nan=True)
    return one == other
