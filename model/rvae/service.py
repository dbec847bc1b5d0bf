"""Requests → replies, free of any server."""

import logging
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import torch

from rvae.adaptation import adaptive_thresholds, require_adaptable
from rvae.alarms import Alarm, alarms_of
from rvae.data.series import Series
from rvae.data.windows import window_starts
from rvae.engine import Analysis, Engine
from rvae.errors import FieldError, require
from rvae.schema import MalformedError, Output, Query, parse

__all__ = ["Call", "Limits", "Reply", "Service"]

PREDICTION: tuple[Output, ...] = ("latent", "score")
EXPLANATION: tuple[Output, ...] = ("score", "contributions")

LONGEST_FIELD, LONGEST_MESSAGE = 100, 300  # characters

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
class Call:
    """A request as it came in.

    Attributes:
        body: JSON text, or what the server has parsed of it; None where there was no body.
        explain: Whether it came to the explanations' endpoint.
    """

    body: Any
    explain: bool = False


@dataclass(frozen=True)
class Reply:
    """An HTTP status, a JSON body and what else belongs into the header."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Job:
    """A call that fits the model, and its place in the batch."""

    place: int
    query: Query
    output: Sequence[Output]
    stride: int
    threshold: float
    values: int


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
            try:
                jobs.append(self._job(place, call))
            except FieldError as error:
                replies[place] = _error(_status(error), error.field, error.message)
        for group in self._groups(jobs):
            if time.monotonic() < end:
                replies |= self._run(group)
            else:
                replies |= {job.place: BUSY for job in group}
        return [replies[place] for place in range(len(calls))]

    def describe(self) -> Reply:
        """The card: what the model is, and what it takes."""
        card = self._engine.card.to_dict()
        card["calibration"] = {
            "windows": len(self._calibration.scores),
            "quantile": self._calibration.quantile,
            "threshold": self._calibration.threshold(),
            "largest_quantile": self._calibration.largest_quantile,
            "independent_windows": self._calibration.independent,
        }
        return Reply(200, orjson.dumps(self._about | {"example": self.example(), "card": card}))

    def example(self) -> dict[str, Any]:
        """A body that can be posted: what the centre of the prior decodes to."""
        card = self._engine.card
        label = card.vocabulary.classes[0] if card.model.conditional else None
        (values,) = self._engine.decode(torch.zeros(1, card.model.latent), label)
        low, high = card.bounds()
        # A thousandth of a channel's spread is exact enough for an example, and readable.
        digits = [3 - math.floor(math.log10(scale)) for scale in card.scaler.scale]
        window = [
            [round(value, places) for value, places in zip(step, digits, strict=True)]
            for step in np.clip(values, low, high).tolist()
        ]
        data = window if len(digits) > 1 else [value for (value,) in window]
        body: dict[str, Any] = {"data": self._readable(data)}
        if card.model.time.calendar:
            body["timestamps"] = [str(time) for time in self._engine.some_times()]
        return body if label is None else body | {"label": label}

    def warm_up(self) -> None:
        """Run once, so that the first request does not pay for what is set up on first use."""
        self.answer([Call(self.example())])

    def _job(self, place: int, call: Call) -> _Job:
        """Check a call against the model and the limits.

        Raises:
            FieldError: If it does not fit.
        """
        if call.body is None:
            raise MalformedError(
                "body", "no body arrived: send JSON with the header Content-Type: application/json"
            )
        card = self._engine.card
        query = parse(call.body, card)
        stride = card.stride if query.stride is None else query.stride
        windows = sum(len(window_starts(len(s), card.window, stride)) for s in query.series)
        values = windows * card.window * card.scaler.spread
        require(
            values <= self._limits.values,
            "stride",
            f"{stride} makes {windows} windows of {values} values, a request may have "
            f"{self._limits.values}: raise it or send less at once",
        )
        threshold = query.threshold
        if threshold is None:
            threshold = self._calibration.threshold(query.quantile)
        if query.adapt is not None:
            require_adaptable(self._calibration, query.adapt, query.quantile)
        output = query.output or (EXPLANATION if call.explain else PREDICTION)
        return _Job(place, query, output, stride, threshold, values)

    def _groups(self, jobs: Sequence[_Job]) -> Iterator[list[_Job]]:
        """Jobs that are run together, none larger than one request may be."""
        group: list[_Job] = []
        for job in jobs:
            if group and sum(j.values for j in group) + job.values > self._limits.values:
                yield group
                group = []
            group.append(job)
        if group:
            yield group

    def _run(self, jobs: Sequence[_Job]) -> dict[int, Reply]:
        try:
            analyses = iter(
                self._engine.analyse(
                    [series for job in jobs for series in job.query.series],
                    [job.stride for job in jobs for _ in job.query.series],
                )
            )
            return {
                job.place: self._reply(job, [next(analyses) for _ in job.query.series])
                for job in jobs
            }
        except Exception:
            # Whatever is wrong with one of them must not be answered to all of them.
            if len(jobs) > 1:
                return {place: reply for job in jobs for place, reply in self._run([job]).items()}
            logger.exception("A request broke the model")
            return {jobs[0].place: _error(500, "body", "the model failed: see the server's log")}

    def _readable(self, values: Any) -> Any:
        """Values (N, C), or (N,) of one channel, with words for the numbers of categories."""
        vocabulary = self._engine.card.vocabulary
        if not vocabulary.categories:
            return values
        words = [vocabulary.categories.get(name) for name in self._engine.card.channels]
        values = np.asarray(values, dtype=np.float64)
        steps = [
            [
                value if known is None or math.isnan(value) else known[int(value) - 1]
                for value, known in zip(step, words, strict=True)
            ]
            for step in values.reshape(-1, len(words)).tolist()
        ]
        return [value for (value,) in steps] if values.ndim == 1 else steps

    def _reply(self, job: _Job, analyses: Sequence[Analysis]) -> Reply:
        predictions = [
            self._prediction(job, analysis, series, flat)
            for analysis, series, flat in zip(
                analyses, job.query.series, job.query.flat, strict=True
            )
        ]
        content = {"predictions": predictions} if job.query.many else predictions[0]
        # NaN marks what nothing was observed of, and becomes null.
        body = orjson.dumps(self._about | content, option=orjson.OPT_SERIALIZE_NUMPY)
        if len(body) > self._limits.response_bytes:
            return _error(
                422,
                "output",
                f"the answer would have {len(body)} bytes, over the limit of "
                f"{self._limits.response_bytes}: ask for less, raise the stride or send less",
            )
        return Reply(200, body)

    def _prediction(
        self, job: _Job, analysis: Analysis, series: Series, flat: bool
    ) -> dict[str, Any]:
        output, threshold = job.output, self._threshold(job, analysis)
        prediction: dict[str, Any] = {
            "window": {
                "length": self._engine.card.window,
                "stride": job.stride,
                "starts": analysis.starts,
            }
        }
        if "latent" in output:
            prediction["latent"] = analysis.latent
        if "score" in output:
            prediction |= {
                "score": analysis.score,
                "tail_probability": self._calibration.tail_probability(analysis.score),
                "severity": self._calibration.severity(analysis.score),
                "threshold": threshold,
                "is_anomaly": analysis.score > threshold,
            }
        if "reconstruction" in output:
            said = _shaped(analysis.reconstruction, flat)
            prediction["reconstruction"] = self._readable(said)
        if "point_scores" in output:
            prediction["point_scores"] = analysis.point_scores
        if "contributions" in output:
            prediction["contributions"] = _shaped(analysis.contributions, flat)
        if "events" in output:
            gap = job.stride if job.query.gap is None else job.query.gap
            names = self._engine.card.channels
            found = alarms_of(analysis, threshold, self._calibration, names, gap)
            prediction["events"] = [_event(alarm, series) for alarm in found]
        return prediction

    def _threshold(self, job: _Job, analysis: Analysis) -> float | np.ndarray:
        """For all windows, or where it follows the series for each (W,)."""
        adapt, quantile = job.query.adapt, job.query.quantile
        if adapt is None:
            return job.threshold
        return adaptive_thresholds(self._calibration, analysis.score, adapt, quantile)


def _event(alarm: Alarm, series: Series) -> dict[str, Any]:
    event: dict[str, Any] = {
        "start": alarm.start,
        "end": alarm.end,
        "peak": alarm.peak,
        "score": alarm.score,
        "severity": alarm.severity,
        "channels": [{"name": name, "score": score} for name, score in alarm.channels],
    }
    if series.times is None:
        return event
    times = series.clock()
    return event | {
        "start_time": times[alarm.start],
        "last_time": times[alarm.end - 1],
        "peak_time": times[alarm.peak],
    }


def _shaped(values: np.ndarray, flat: bool) -> np.ndarray:
    """Without the channel axis where the request had none."""
    return np.ascontiguousarray(values[..., 0]) if flat else values


def _status(error: FieldError) -> int:
    return 400 if isinstance(error, MalformedError) else 422


def _error(status: int, field: str, message: str) -> Reply:
    # Both may quote the request, and that may be as long as an answer must not be.
    content = {
        "code": status,
        "message": _sayable(message[:LONGEST_MESSAGE]),
        "field": _sayable(field[:LONGEST_FIELD]),
    }
    return Reply(status, orjson.dumps(content))


def _sayable(text: str) -> str:
    # Another parser than ours may let half a surrogate pair through.
    return text.encode(errors="replace").decode()


BUSY = Reply(
    503,
    _error(503, "body", "too much was asked at once: try again").body,
    {"Retry-After": "1"},
)
