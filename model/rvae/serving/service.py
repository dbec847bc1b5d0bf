"""Requests → replies, free of any server."""

import logging
import math
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import orjson
import torch

from rvae.data.windows import count_windows
from rvae.errors import FieldError, require
from rvae.inference.analysis import Analysis
from rvae.inference.engine import Engine
from rvae.scoring.adaptive_threshold import require_adaptable
from rvae.serving.contract.answers import Drawn, answer, answer_of_drawn, in_steps
from rvae.serving.contract.description import describe
from rvae.serving.contract.faults import busy, fault, reply_to
from rvae.serving.contract.messages import Call, Reply
from rvae.serving.contract.options import MOST
from rvae.serving.contract.query import Query, query_of, read
from rvae.serving.contract.said import said_of

__all__ = ["Limits", "Service"]

SEED_BITS = 53  # as many as every parser of JSON reads

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """What requests may cost.

    Attributes:
        values: Windows x steps x channels of one request at the most, and of what is run together;
            a categorical channel counts as often as it has categories.
        response_bytes: Bytes of an answer at the most. TorchServe ends a worker whose answer is
            larger than its `max_response_size`, so this must not be above that.
        seconds: Time after which what is left of a batch is asked to come again. TorchServe ends
            a worker that takes longer than its `responseTimeout`, and the batch with it.
    """

    values: int = 1_000_000
    response_bytes: int = 6_500_000
    seconds: float = 60.0


@dataclass(frozen=True)
class _Job:
    """A call that fits the model, and its place in the batch."""

    place: int
    query: Query
    stride: int
    values: int

    @property
    def inference(self) -> bool:
        """Whether it came by the Open Inference Protocol, which has errors of its own."""
        return self.query.form.inference is not None


class Service:
    """Answers batches of requests with one model.

    Args:
        engine: The model.
        name: What the model is called.
        version: Which one it is.
        limits: What requests may cost.
    """

    def __init__(self, engine: Engine, name: str, version: str, limits: Limits) -> None:
        self._engine = engine
        self._calibration = engine.card.require_calibration()
        self._about = {"model": name, "version": version}
        self._limits = limits

    def answer(self, calls: Sequence[Call]) -> list[Reply]:
        """Answer every call, in order; as many as the limits allow are run together.

        A call that is wrong is answered with what is wrong, and costs the others nothing.
        """
        end = time.monotonic() + self._limits.seconds
        replies: dict[int, Reply] = {}
        jobs = []
        for place, call in enumerate(calls):
            parsed = self._parsed(place, call)
            if isinstance(parsed, Reply):
                replies[place] = parsed
            else:
                jobs.append(parsed)
        for group in self._groups(jobs):
            replies |= self._run(group, end)
        return [replies[place] for place in range(len(calls))]

    def describe(self) -> Reply:
        """The card: what the model is, and what it takes."""
        content = {
            "example": self.example(),
            "card": describe(self._engine),
            "limits": asdict(self._limits),
        }
        return Reply(200, orjson.dumps(self._about | content))

    def example(self) -> dict[str, Any]:
        """A body that can be posted: what the centre of the prior decodes to."""
        card = self._engine.card
        label = card.vocabulary.classes[0] if card.model.conditional else None
        (values,) = self._engine.decode(torch.zeros(1, card.model.latent), label)
        low, high = card.bounds
        # A thousandth of a channel's spread is exact enough for an example, and readable.
        digits = [3 - math.floor(math.log10(scale)) for scale in card.scaler.scale]
        window = [
            [round(value, places) for value, places in zip(step, digits, strict=True)]
            for step in np.clip(values, low, high).tolist()
        ]
        steps = in_steps(np.array(window), len(digits) == 1, card)
        data = steps.tolist() if isinstance(steps, np.ndarray) else steps
        body: dict[str, Any] = {"data": data}
        if card.model.time.calendar:
            body["timestamps"] = [str(time) for time in self._engine.placeholder_times()]
        return body if label is None else body | {"label": label}

    def warm_up(self) -> None:
        """Run once, so that the first request does not pay for what is set up on first use."""
        self.answer([Call(self.example())])

    def _parsed(self, place: int, call: Call) -> _Job | Reply:
        """A call that fits the model, or what is wrong with it."""
        inference = False
        try:
            content = read(call)
            inference = content.tensors is not None
            return self._job(place, query_of(content, self._engine.card, call.explain))
        except FieldError as error:
            return reply_to(error, inference)
        except Exception:
            # What nobody has thought of must not be answered to all of a batch.
            logger.exception("A request broke what reads it")
            return fault(500, "body", "cannot be read: see the server's log", inference)

    def _job(self, place: int, query: Query) -> _Job:
        """Check a request against the limits.

        Raises:
            FieldError: If it costs too much.
        """
        card, options = self._engine.card, query.options
        stride = options.stride or card.stride
        if query.draws:
            windows, field = query.count, "count" if query.given.latent is None else "latent"
            mend = "ask for less at once"
        else:
            lengths = map(len, query.given.series)
            windows = sum(count_windows(n, card.window, stride) for n in lengths)
            field, mend = "stride", f"raise it above {stride} or send less at once"
        values = windows * card.window * card.scaler.spread
        require(
            values <= self._limits.values,
            field,
            f"makes {windows} windows with {values} values in all, a request may have "
            f"{self._limits.values}: {mend}",
        )
        if options.adapt is not None:
            require_adaptable(self._calibration, options.adapt, options.quantile)
        if {"score", "events"} & set(query.output):
            self._calibration.threshold(options.quantile)  # which must be one that it can tell
        return _Job(place, query, stride, values)

    def _groups(self, jobs: Sequence[_Job]) -> Iterator[list[_Job]]:
        """Jobs that are run together, none larger than one request may be."""
        group: list[_Job] = []
        values = series = 0
        for job in jobs:
            values, series = values + job.values, series + len(job.query.given.series)
            if group and (values > self._limits.values or series > MOST):
                yield group
                group, values, series = [], job.values, len(job.query.given.series)
            group.append(job)
        if group:
            yield group

    def _run(self, jobs: Sequence[_Job], end: float) -> dict[int, Reply]:
        if time.monotonic() >= end:
            return {job.place: busy(job.inference) for job in jobs}
        try:
            analyses = iter(
                self._engine.analyse(
                    [series for job in jobs for series in job.query.given.series],
                    [job.stride for job in jobs for _ in job.query.given.series],
                )
            )
            return {
                job.place: self._reply(job, [next(analyses) for _ in job.query.given.series])
                for job in jobs
            }
        except Exception:
            # Whatever is wrong with one of them must not be answered to all of them.
            if len(jobs) > 1:
                alone = (self._run([job], end) for job in jobs)
                return {place: reply for replies in alone for place, reply in replies.items()}
            logger.exception("A request broke the model")
            (job,) = jobs
            message = "the model failed: see the server's log"
            return {job.place: fault(500, "body", message, job.inference)}

    def _reply(self, job: _Job, analyses: Sequence[Analysis]) -> Reply:
        query, card = job.query, self._engine.card
        try:
            if query.draws:
                body = answer_of_drawn(query, self._drawn(query), self._about, card)
            else:
                said = said_of(analyses, query, job.stride, card)
                body = answer(query, said, job.stride, self._about, card)
            require(
                len(body) <= self._limits.response_bytes,
                "output",
                f"the answer would have {len(body)} bytes, over the limit of "
                f"{self._limits.response_bytes}: ask for less, raise the stride or send less",
            )
        except FieldError as error:
            return reply_to(error, job.inference)
        return Reply(200, body, query.form.media)

    def _drawn(self, query: Query) -> Drawn:
        if query.given.latent is not None:
            latent, seed = query.given.latent, None
        else:
            given = query.options.seed
            seed = secrets.randbits(SEED_BITS) if given is None else given
            latent = self._engine.prior(query.count, seed).numpy()
        windows = self._engine.decode(torch.from_numpy(latent), query.label)
        return Drawn(windows, latent, seed)
