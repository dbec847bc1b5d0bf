"""Requests → replies, free of any server: decode → validate → run → encode."""

import logging
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from rvae.errors import FieldError, require
from rvae.inference.analysis import Encoded
from rvae.inference.engine import Engine
from rvae.inference.software import software_versions
from rvae.serving.contract.description import describe
from rvae.serving.contract.error_replies import busy_reply, error_reply, failure_reply
from rvae.serving.contract.formats.format import Content, Format, ServedModel
from rvae.serving.contract.messages import Reply, Request
from rvae.serving.contract.options import MAX_SERIES
from rvae.serving.contract.pipeline import decode, encode, validate
from rvae.serving.contract.query import Query
from rvae.serving.contract.results import Samples, compute_results
from rvae.serving.contract.sizes import require_small_enough
from rvae.serving.example import example_body

__all__ = ["Limits", "Service"]

SEED_BITS = 53  # integers that every parser of JSON reads exactly

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """Limits on the cost of requests.

    Attributes:
        values: Maximum of windows x steps x channels of one request, and of one run, and of the
            points (steps x channels) of its series; a categorical channel counts once per category.
        response_bytes: Maximum size of an answer. What is certain to be larger is refused before it
            is computed. TorchServe ends a worker whose answer is larger
            than its `max_response_size`, so this must not be above that.
        seconds: Time after which clients are asked to retry the rest of a batch. TorchServe ends a
            worker that takes longer than its `responseTimeout`, and the batch with it.
    """

    values: int = 1_000_000
    response_bytes: int = 6_500_000
    seconds: float = 60.0


@dataclass(frozen=True)
class _Job:
    """A request that was validated, and its place in the batch."""

    place: int
    content: Content
    query: Query
    values: int

    @property
    def error_key(self) -> str | None:
        return self.content.format.error_key


class Service:
    """Answers batches of requests with one model.

    Args:
        engine: The model.
        name: Its name.
        version: Its version.
        limits: Limits on the cost of requests.
    """

    def __init__(self, engine: Engine, name: str, version: str, limits: Limits) -> None:
        self._engine = engine
        self._calibration = engine.card.calibration
        self._model = ServedModel(name, version, engine.card, limits.response_bytes)
        self._limits = limits

    def answer(self, requests: Sequence[Request]) -> list[Reply]:
        """Answer every request, in order; as many as the limits allow share a run.

        An invalid request is answered with an error, and does not affect the others.
        """
        end = time.monotonic() + self._limits.seconds
        replies: dict[int, Reply] = {}
        jobs = []
        for place, request in enumerate(requests):
            job = self._job(place, request)
            if isinstance(job, Reply):
                replies[place] = job
            else:
                jobs.append(job)
        for group in self._groups(jobs):
            replies |= self._run(group, end)
        return [replies[place] for place in range(len(requests))]

    def describe(self) -> Reply:
        """The description of the model: its card, its limits, and an example of a request."""
        card = describe(self._model.card, self._engine.checksum, software_versions())
        content = {
            "model": self._model.name,
            "version": self._model.version,
            "example": self.example(),
            "card": card,
            "limits": asdict(self._limits),
            "runtime": self.runtime,
        }
        return Reply(200, orjson.dumps(content))

    def example(self) -> dict[str, Any]:
        """A body that can be posted."""
        return example_body(self._engine)

    @property
    def runtime(self) -> dict[str, Any]:
        """What runs the network, and what was measured and chosen here."""
        settings = self._engine.runtime.settings()
        known = {name: value for name, value in settings.items() if value is not None}
        return {"name": self._engine.runtime.name, **known}

    def warm_up(self) -> None:
        """Run once, so that the first request does not pay for initialization."""
        self.answer([Request(self.example())])

    def _job(self, place: int, request: Request) -> _Job | Reply:
        """Decode and validate a request, or reply with what is wrong with it."""
        error_key = None
        try:
            content = decode(request)
            error_key = content.format.error_key
            query = validate(content, self._model.card, request.explain)
            return _Job(place, content, query, self._cost(query, content.answer_format))
        except FieldError as error:
            return error_reply(error, error_key)
        except Exception:
            # A bug in reading one request must not fail a whole batch.
            logger.exception("A request could not be read")
            return failure_reply(500, "body", "could not be read: see the server's log", error_key)

    def _cost(self, query: Query, answer: Format) -> int:
        """The values that a request makes the model compute, or that its series have.

        Raises:
            FieldError: If they are over the limit, or the answer would be, or the quantile or rate
                of alarms is outside the range of the calibration.
        """
        card, options, limit = self._model.card, query.options, self._limits.values
        points = query.steps * card.scaler.outputs
        # A stride longer than the window makes fewer values than points, which outputs still have.
        require(
            points <= limit,
            "body",
            f"holds {query.steps} steps with {points} values in all, the limit is {limit}: send "
            "less at once",
        )
        if query.generates:
            field, advice = "count" if query.inputs.latent is None else "latent", "ask for less"
        else:
            field, advice = "stride", f"raise it above {query.stride} or send less"
        windows = query.windows(card)
        values = windows * card.window * card.scaler.outputs
        require(
            values <= limit,
            field,
            f"makes {windows} windows with {values} values in all, the limit is {limit}: {advice} "
            "at once",
        )
        require_small_enough(answer.answer_size(query, card).least, self._limits.response_bytes)
        quantile = card.quantile_of(options.quantile, options.alarms)
        if any(output.uses_threshold for output in query.outputs):
            self._calibration.threshold(quantile)
        return max(values, points)

    def _groups(self, jobs: Sequence[_Job]) -> Iterator[list[_Job]]:
        """Jobs that share a run, within the limits of one request."""
        group: list[_Job] = []
        values = series = 0
        for job in jobs:
            count = len(job.query.inputs.series)
            values, series = values + job.values, series + count
            if group and (values > self._limits.values or series > MAX_SERIES):
                yield group
                group, values, series = [], job.values, count
            group.append(job)
        if group:
            yield group

    def _run(self, jobs: Sequence[_Job], end: float) -> dict[int, Reply]:
        if time.monotonic() >= end:
            return {job.place: busy_reply(job.error_key) for job in jobs}
        try:
            series = [series for job in jobs for series in job.query.inputs.series]
            strides = [job.query.stride for job in jobs for _ in job.query.inputs.series]
            decoded = any(output.decodes for job in jobs for output in job.query.outputs)
            analyses: Iterator[Encoded] = iter(
                self._engine.analyse(series, strides)
                if decoded
                else self._engine.encode(series, strides)
            )
            return {
                job.place: self._reply(job, [next(analyses) for _ in job.query.inputs.series])
                for job in jobs
            }
        except Exception:
            # A failure of one request must not fail all of them.
            if len(jobs) > 1:
                alone = (self._run([job], end) for job in jobs)
                return {place: reply for replies in alone for place, reply in replies.items()}
            logger.exception("The model failed on a request")
            (job,) = jobs
            message = "the model failed: see the server's log"
            return {job.place: failure_reply(500, "body", message, job.error_key)}

    def _reply(self, job: _Job, analyses: Sequence[Encoded]) -> Reply:
        query, answer = job.query, job.content.answer_format
        card, limit = self._model.card, self._limits.response_bytes
        try:
            if query.generates:
                body = encode(self._samples(query), query, answer, self._model)
            else:
                most_events = limit // max(1, answer.event_size(card).least)
                results = compute_results(analyses, query, card, most_events)
                body = encode(results, query, answer, self._model)
            require_small_enough(len(body), limit)
        except FieldError as error:
            return error_reply(error, job.error_key)
        return Reply(200, body, answer.media_type)

    def _samples(self, query: Query) -> Samples:
        if query.inputs.latent is not None:
            latent, seed = query.inputs.latent, None
        else:
            seed = query.options.seed
            seed = secrets.randbits(SEED_BITS) if seed is None else seed
            latent = self._engine.prior(query.count, seed)
        windows = self._engine.decode(latent, query.label)
        return Samples(windows, latent, seed)
