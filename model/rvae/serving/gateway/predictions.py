"""The public port: which requests are allowed, and what of them reaches the backend."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import orjson

from rvae.serving.gateway import open_inference
from rvae.serving.gateway.dispatcher import VERSION, Dispatcher, Job
from rvae.serving.gateway.messages import Answer, Head, Request, not_allowed, refusal
from rvae.serving.gateway.paths import METHODS, READING, Place, Question, infer_path, place_of
from rvae.serving.gateway.recordings import Recorded
from rvae.serving.gateway.routes import NotServedError, Routes

__all__ = ["Predictions", "as_sent"]

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
# Tells a worker that a request is one of the Open Inference Protocol. So are the answers, whatever
# is accepted.
TENSORS = {"rvae-tensors": "True"}
ANSWER_HEADERS = ("content-type", "retry-after", "x-request-id", VERSION)


class Predictions:
    """What the public port does with requests.

    Args:
        dispatcher: What passes them on.
        routes: Which versions are served.
        health: Whether every model is ready; and why not, or what will become a trouble.
        answering: Names and versions of the models that are ready.
        answered: Told of every request that a version has answered, other than for a description;
            None where nothing is to be known of requests, in the metrics neither.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        routes: Routes,
        health: Callable[[], tuple[bool, tuple[str, ...]]],
        answering: Callable[[], Collection[tuple[str, str]]],
        answered: Callable[[Job], object] | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._routes = routes
        self._health = health
        self._answering = answering
        self._answered = answered

    def check(self, head: Head) -> Answer | None:
        """Refuse what is not a prediction, nor a question for a description or the health."""
        place = place_of(head.target)
        if place is None:
            message = (
                "must be /predictions/MODEL, /predictions/MODEL/VERSION, or the same with "
                "explanations, /ping, or one of the Open Inference Protocol: /v2/models/MODEL/infer"
            )
            return refusal(404, "path", message)
        allowed = METHODS[place.question]
        return None if head.method in allowed else not_allowed(allowed)

    async def answer(self, request: Request) -> Answer:
        """The answer of the model, its description, or the health."""
        place = place_of(request.head.target)
        assert place is not None  # as checked
        match place.question:
            case Question.PING:
                return self._ping()
            case Question.SERVER:
                return open_inference.server()
            case Question.LIVE:
                return open_inference.live()
            case Question.READY:
                return open_inference.ready(self._health()[0])
            case Question.MODEL_READY:
                return self._model_ready(place)
            case Question.MODEL:
                return await self._metadata(place)
        if request.head.method in READING:
            return await self._description(place)
        return await self._prediction(place, request)

    async def _prediction(self, place: Place, request: Request) -> Answer:
        """The answer of the model."""
        headers = _kept(request.head)
        if place.question is Question.INFERENCE:
            headers.pop("accept", None)
            headers |= TENSORS
        kind = "explanations" if place.question is Question.EXPLANATION else "predictions"
        told = self._answered
        job = _job(place, headers, kind, request.body, measured=told is not None)
        answer = await self._dispatcher.answer(job)
        if told is not None and VERSION in answer.headers:
            told(job)
        return _passed_on(answer)

    async def _description(self, place: Place) -> Answer:
        """What clients may know of a model."""
        return _passed_on(await self._dispatcher.answer(_job(place, DESCRIBE)))

    async def _metadata(self, place: Place) -> Answer:
        """The same in the words of the Open Inference Protocol."""
        described = await self._description(place)
        served = self._routes.served.get(place.model)
        if described.status != 200 or served is None:  # it is gone since
            return described
        return open_inference.metadata(place.model, served.versions, described)

    def _model_ready(self, place: Place) -> Answer:
        try:
            served = self._routes.require(place.model, place.version)
        except NotServedError as error:
            return error.answer
        version = place.version or served.default
        is_ready = (place.model, version) in self._answering()
        return open_inference.model_ready(place.model, version, is_ready)

    def _ping(self) -> Answer:
        ready, reasons = self._health()
        content = {"status": "Healthy" if ready else "Unhealthy", "reasons": reasons}
        headers = {"content-type": "application/json"}
        return Answer(200 if ready else 503, orjson.dumps(content), headers)


def as_sent(job: Job) -> Recorded:
    """What a client has sent."""
    named = f"/{job.version}" if job.version is not None else ""
    path = f"/{job.kind}/{job.model}{named}"
    if job.headers.keys() >= TENSORS.keys():
        path = infer_path(job.model, job.version)
    headers = {
        known: job.headers[name] for known, name in REQUEST_HEADERS.items() if name in job.headers
    }
    return Recorded(path, headers, job.body)


def _job(
    place: Place,
    headers: Mapping[str, str],
    kind: str = "predictions",
    body: bytes | bytearray = b"",
    measured: bool = False,
) -> Job:
    """A request for a worker."""
    sent = {**UNPARSED, **headers}
    return Job(kind, place.model, place.version, sent, body, measured=measured)


def _kept(head: Head) -> dict[str, str]:
    """Of a request's headers those that the contract reads."""
    return {
        name: head.headers[known]
        for known, name in REQUEST_HEADERS.items()
        if known in head.headers
    }


def _passed_on(answer: Answer) -> Answer:
    """An answer with what clients may know of it."""
    kept = {name: answer.headers[name] for name in ANSWER_HEADERS if name in answer.headers}
    return replace(answer, headers=kept)
