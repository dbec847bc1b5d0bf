"""The public port: which requests are allowed, and what of them reaches the backend."""

import re
from collections.abc import Callable

import orjson

from rvae.serving.gateway.dispatcher import VERSION, Dispatcher, Job
from rvae.serving.gateway.messages import Answer, Head, Request, not_allowed, refusal
from rvae.serving.gateway.recordings import Recorded

__all__ = ["Predictions", "as_sent"]

NAME = r"([\w.~+-]{1,128})"
PREDICTION = re.compile(rf"/(predictions|explanations)/{NAME}(?:/{NAME})?", re.A)
HEALTH = "/ping"

# Of a request, what the contract reads. Its type has another name: the backend would parse a form
# itself, at its own cost.
REQUEST_HEADERS = {
    "content-type": "rvae-content-type",
    "accept": "accept",
    "rvae-options": "rvae-options",
    "inference-header-content-length": "inference-header-content-length",
}
UNPARSED = {"content-type": "application/octet-stream"}
# Asks a worker for what clients may know of a model.
DESCRIBE = {"rvae-describe": "True"}
READING, ASKING = ("GET", "HEAD"), ("POST",)
ANSWER_HEADERS = ("content-type", "retry-after", "x-request-id", VERSION)


class Predictions:
    """What the public port does with requests.

    Args:
        dispatcher: What passes them on.
        health: Whether every model is ready; and why not, or what will become a trouble.
        answered: Told of every request that a version has answered, other than for a description;
            None where nothing is to be known of requests, in the metrics neither.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        health: Callable[[], tuple[bool, tuple[str, ...]]],
        answered: Callable[[Job], object] | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._health = health
        self._answered = answered

    def check(self, head: Head) -> Answer | None:
        """Refuse what is not a prediction, nor a question for a description or the health."""
        path = _path(head)
        allowed: tuple[str, ...] = READING
        if found := _prediction(path):
            allowed = (*READING, *ASKING) if found[1] == "predictions" else ASKING
        elif path != HEALTH:
            message = "must be /predictions/MODEL, /predictions/MODEL/VERSION, or the same with"
            return refusal(404, "path", f"{message} explanations, or {HEALTH}")
        if head.method not in allowed:
            return not_allowed(allowed)
        return None

    async def answer(self, request: Request) -> Answer:
        """The answer of the model, or its description."""
        path = _path(request.head)
        if path == HEALTH:
            return self._ping()
        found = _prediction(path)
        assert found is not None  # as checked
        reads = request.head.method in READING
        headers = UNPARSED | (DESCRIBE if reads else _kept(request.head))
        body = b"" if reads else request.body
        told = None if reads else self._answered
        job = Job(found[1], found[2], found[3], headers, body, measured=told is not None)
        answer = await self._dispatcher.answer(job)
        if told is not None and VERSION in answer.headers:
            told(job)
        kept = {name: answer.headers[name] for name in ANSWER_HEADERS if name in answer.headers}
        return Answer(answer.status, answer.body, kept)

    def _ping(self) -> Answer:
        ready, reasons = self._health()
        content = {"status": "Healthy" if ready else "Unhealthy", "reasons": reasons}
        headers = {"content-type": "application/json"}
        return Answer(200 if ready else 503, orjson.dumps(content), headers)


def as_sent(job: Job) -> Recorded:
    """What a client has sent."""
    named = f"/{job.version}" if job.version is not None else ""
    headers = {
        known: job.headers[name] for known, name in REQUEST_HEADERS.items() if name in job.headers
    }
    return Recorded(f"/{job.kind}/{job.model}{named}", headers, job.body)


def _kept(head: Head) -> dict[str, str]:
    """Of a request's headers those that the contract reads."""
    return {
        name: head.headers[known]
        for known, name in REQUEST_HEADERS.items()
        if known in head.headers
    }


def _path(head: Head) -> str:
    # TorchServe has never read a query here, and clients may send one.
    return head.target.partition("?")[0]


def _prediction(path: str) -> re.Match[str] | None:
    found = PREDICTION.fullmatch(path)
    # Names that are steps in a path.
    return None if found and {found[2], found[3]} & {".", ".."} else found
