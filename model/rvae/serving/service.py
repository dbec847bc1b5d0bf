"""Requests → replies, free of any server: decode → validate → run → encode."""

import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from rvae.errors import FieldError, require
from rvae.inference.analysis import Encoded
from rvae.inference.engine import Engine
from rvae.inference.software import software_versions
from rvae.serving.contract.description import describe, describe_publicly
from rvae.serving.contract.error_replies import (
    abandoned_reply,
    busy_reply,
    deferred_reply,
    error_reply,
    failure_reply,
)
from rvae.serving.contract.formats.format import Format, ServedModel
from rvae.serving.contract.messages import Reply, Request
from rvae.serving.contract.pipeline import decode, encode, validate
from rvae.serving.contract.query import Query
from rvae.serving.contract.results import Samples, SeriesResult, compute_results
from rvae.serving.contract.sizes import require_small_enough
from rvae.serving.example import example_body
from rvae.serving.jobs import Job, body_bytes, read_together, run_together
from rvae.serving.metrics.measures import Phases
from rvae.serving.metrics.report import UNREPORTED, Report
from rvae.serving.pace import Pace, work_of
from rvae.serving.turn import Turn

__all__ = ["Limits", "Service"]

SEED_BITS = 53  # integers that every parser of JSON reads exactly

logger = logging.getLogger(__name__)

# Requests of a batch that warm up, in turn; the last ones are left out where the model is slow.
WARMING_BATCHES = (1, 4, 16, 64)
WARMING_SECONDS = 0.2

# Bodies are decoded no slower, nor results encoded; and what any batch may take beside its work.
BYTES_PER_SECOND, SECONDS_BESIDE = 10_000_000, 1.0


@dataclass(frozen=True)
class Limits:
    """Limits on the cost of requests.

    Attributes:
        values: Maximum of windows x steps x channels of one request, and of one run, and of the
            points (steps x channels) of its series; a categorical channel counts once per category.
        response_bytes: Maximum size of an answer. What is certain to be larger is refused before it
            is computed. TorchServe ends a worker whose answer is larger
            than its `max_response_size`, so this must not be above that.
        seconds: Maximum of the estimated seconds of one request; and time after which clients are
            asked to retry the rest of a batch.
    """

    values: int = 1_000_000
    response_bytes: int = 6_500_000
    seconds: float = 30.0

    @property
    def response_timeout(self) -> float:
        """Seconds after which a server may hold that a worker hangs, and end it.

        A batch takes `seconds`, and its last run, which began just before, as many again.
        """
        return 2 * self.seconds


class Service:
    """Answers batches of requests with one model.

    Args:
        engine: The model.
        name: Its name.
        version: Its version.
        limits: Limits on the cost of requests.
        busy: Told how many seconds the service expects to be busy, whenever it is: a context for
            that time.
        report: Told what was done for requests that are measured.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        version: str,
        limits: Limits,
        busy: Callable[[float], AbstractContextManager[Any]] = nullcontext,
        report: Report = UNREPORTED,
    ) -> None:
        self._engine = engine
        self._calibration = engine.card.calibration
        self._model = ServedModel(name, version, engine.card, limits.response_bytes)
        self._limits = limits
        self._busy = busy
        self._report = report
        self._pace = Pace()

    def answer(self, requests: Sequence[Request]) -> list[Reply]:
        """Answer every request, in order; as many as the limits allow share a run.

        An invalid request is answered with an error, and does not affect the others. Cheap requests
        come first, and expensive ones may be deferred. What nobody waits for is not computed.
        """
        end, turn = time.monotonic() + self._limits.seconds, Turn()
        replies: dict[int, Reply] = {}
        if measured := sum(one.arrived is not None for one in requests):
            self._report.batch(measured)
        for places in read_together(requests):
            jobs, answered = self._read(requests, places, turn)
            replies |= answered
            taken = []
            for job in jobs:
                if turn.takes(job.seconds, job.may_defer):
                    taken.append(job)
                else:
                    replies[job.place] = _deferred(job)
            for group in run_together(taken, self._limits.values):
                replies |= self._run(group, end, turn)
        return [replies[place] for place in range(len(requests))]

    def describe(self) -> Reply:
        """The description of the model: its card, its limits, and an example of a request."""
        card = describe(self._model.card, self._engine.checksum, software_versions())
        return Reply(200, orjson.dumps(self._described(card) | {"runtime": self.runtime}))

    def describe_publicly(self) -> Reply:
        """What of the description its clients need."""
        return Reply(200, orjson.dumps(self._described(describe_publicly(self._model.card))))

    def _described(self, card: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "model": self._model.name,
            "version": self._model.version,
            "example": self.example(),
            "card": card,
            "limits": asdict(self._limits),
        }

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
        """Run, so that the first request does not pay for initialization, and to know the pace."""
        request = Request(self.example())
        for count in WARMING_BATCHES:
            began = time.perf_counter()
            self.answer([request] * count)
            if count > 1 and time.perf_counter() - began > WARMING_SECONDS:
                break

    def _read(
        self, requests: Sequence[Request], places: Sequence[int], turn: Turn
    ) -> tuple[list[Job], dict[int, Reply]]:
        """The jobs of some requests, the cheapest first, and replies to those that are none."""
        jobs, replies = [], {}
        expected = sum(body_bytes(requests[place]) for place in places) / BYTES_PER_SECOND
        with self._busy(expected + SECONDS_BESIDE):
            for place in places:
                request = requests[place]
                seconds = body_bytes(request) / BYTES_PER_SECOND
                if not request.is_wanted():
                    replies[place] = abandoned_reply()
                elif request.may_defer and not turn.has_room(seconds):
                    replies[place] = deferred_reply(seconds)
                elif isinstance(job := self._job(place, request), Job):
                    jobs.append(job)
                else:
                    replies[place] = job
                _empty(request.body)
        return sorted(jobs, key=lambda job: job.seconds), replies

    def _job(self, place: int, request: Request) -> Job | Reply:
        """Decode and validate a request, or reply with what is wrong with it."""
        began = time.perf_counter()
        queued = None if request.arrived is None else time.monotonic() - request.arrived
        error_key = None
        try:
            content = decode(request)
            error_key, answer_format = content.format.error_key, content.answer_format
            query = validate(content, self._model.card, request.explain)
            values = self._cost(query, answer_format)
            work = work_of(query, query.windows(self._model.card))
            seconds = self._pace.seconds(work)
            field, advice = _what_to_change(query)
            require(
                seconds <= self._limits.seconds,
                field,
                f"would take about {seconds:.0f} s, the limit is {self._limits.seconds:g} s: "
                f"{advice}",
            )
        except FieldError as error:
            return error_reply(error, error_key)
        except Exception:
            # A bug in reading one request must not fail a whole batch.
            logger.exception("A request could not be read")
            return failure_reply(500, "body", "could not be read: see the server's log", error_key)
        return Job(
            place,
            query,
            answer_format,
            error_key,
            values,
            work,
            seconds,
            request.is_wanted,
            request.may_defer,
            queued,
            time.perf_counter() - began,
        )

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
        windows = query.windows(card)
        values = windows * card.window * card.scaler.outputs
        field, advice = _what_to_change(query)
        require(
            values <= limit,
            field,
            f"makes {windows} windows with {values} values in all, the limit is {limit}: {advice}",
        )
        require_small_enough(answer.answer_size(query, card).least, self._limits.response_bytes)
        quantile = card.quantile_of(options.quantile, options.alarms)
        if any(output.uses_threshold for output in query.outputs):
            self._calibration.threshold(quantile)
        return max(values, points)

    def _run(self, jobs: Sequence[Job], end: float, turn: Turn) -> dict[int, Reply]:
        """Replies to jobs that share a run, as far as they are wanted."""
        if time.monotonic() >= end:
            return {job.place: busy_reply(job.error_key) for job in jobs}
        replies = {job.place: abandoned_reply() for job in jobs if not job.is_wanted()}
        replies |= {job.place: _deferred(job) for job in jobs if job.may_defer and turn.is_full}
        jobs = [job for job in jobs if job.place not in replies]
        if not jobs:
            return replies
        try:
            with self._busy(sum(job.seconds for job in jobs) + SECONDS_BESIDE):
                return replies | self._answers(jobs, turn)
        except Exception:
            # A failure of one request must not fail all of them.
            if len(jobs) > 1:
                alone = (self._run([job], end, turn) for job in jobs)
                return replies | {place: one for each in alone for place, one in each.items()}
            logger.exception("The model failed on a request")
            (job,) = jobs
            message = "the model failed: see the server's log"
            return replies | {job.place: failure_reply(500, "body", message, job.error_key)}

    def _answers(self, jobs: Sequence[Job], turn: Turn) -> dict[int, Reply]:
        began = time.perf_counter()
        series = [series for job in jobs for series in job.query.inputs.series]
        strides = [job.query.stride for job in jobs for _ in job.query.inputs.series]
        found: Sequence[Encoded]
        if any(output.decodes for job in jobs for output in job.query.outputs):
            with self._pace.learn(sum(job.work for job in jobs)):
                found = self._engine.analyse(series, strides)
        else:
            found = self._engine.encode(series, strides)
        seconds = time.perf_counter() - began
        analyses = iter(found)
        replies = {}
        for job in jobs:
            own = [next(analyses) for _ in job.query.inputs.series]
            if job.may_defer and turn.is_full:
                replies[job.place] = _deferred(job)
            else:
                replies[job.place] = reply = self._reply(job, own, seconds)
                turn.add_answer(len(reply.body))
        return replies

    def _reply(self, job: Job, analyses: Sequence[Encoded], run_seconds: float) -> Reply:
        """The answer to a job, from what the run that it shared has found."""
        began = time.perf_counter()
        query, answer = job.query, job.answer_format
        card, limit = self._model.card, self._limits.response_bytes
        try:
            results: Sequence[SeriesResult] | Samples
            if query.generates:
                results = self._samples(query)
            else:
                most_events = limit // max(1, answer.event_size(card).least)
                results = compute_results(analyses, query, card, most_events)
            computed = time.perf_counter()
            body = encode(results, query, answer, self._model)
            require_small_enough(len(body), limit)
        except FieldError as error:
            return error_reply(error, job.error_key)
        if job.queue_seconds is not None:
            run_seconds += computed - began
            encode_seconds = time.perf_counter() - computed
            phases = Phases(job.queue_seconds, job.parse_seconds, run_seconds, encode_seconds)
            self._report.answered(phases, query.inputs.series, analyses)
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


def _deferred(job: Job) -> Reply:
    return deferred_reply(job.seconds, job.error_key)


def _what_to_change(query: Query) -> tuple[str, str]:
    """The field by which a request costs less, and what to do with it."""
    if query.generates:
        return "count" if query.inputs.latent is None else "latent", "ask for less at once"
    return "stride", f"raise it above {query.stride} or send less at once"


def _empty(body: Any) -> None:
    """Give the memory of a body back, unless the values of a query are a view of it."""
    if isinstance(body, bytearray):
        with suppress(BufferError):
            body.clear()
