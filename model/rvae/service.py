"""Requests → replies, free of any server."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from rvae import scoring
from rvae.data.windows import window_starts
from rvae.engine import Analysis, Engine
from rvae.errors import FieldError, require
from rvae.schema import MalformedError, Output, Query, parse

__all__ = ["Call", "Limits", "Reply", "Service"]

PREDICTION: tuple[Output, ...] = ("latent", "score")
EXPLANATION: tuple[Output, ...] = ("score", "contributions")


@dataclass(frozen=True)
class Limits:
    """What one request may cost.

    Attributes:
        windows: Windows of a request at the most.
        response_bytes: Bytes of an answer at the most. TorchServe ends a worker whose answer is
            larger than its `max_response_size`, so this must not be above that.
    """

    windows: int = 10_000
    response_bytes: int = 6_500_000


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
    """An HTTP status and a JSON body."""

    status: int
    body: bytes


class Service:
    """Answers batches of requests with one model.

    Args:
        engine: The model.
        name: What the model is called.
        version: Which one it is.
        limits: What a request may cost.
    """

    def __init__(self, engine: Engine, name: str, version: str, limits: Limits) -> None:
        self._engine = engine
        self._calibration = engine.card.require_calibration()
        self._about = {"model": name, "version": version}
        self._limits = limits

    def answer(self, calls: Sequence[Call]) -> list[Reply]:
        """Answer every call, in order; all that can be run is run together.

        A call that is wrong is answered with what is wrong, and costs the others nothing.
        """
        queries = [self._parse(call) for call in calls]
        sound = [query for query in queries if isinstance(query, Query)]
        analyses = iter(
            self._engine.analyse(
                [series for query in sound for series in query.series],
                [self._stride(query) for query in sound for _ in query.series],
            )
            if sound
            else []
        )
        return [
            query
            if isinstance(query, Reply)
            else self._reply(call, query, [next(analyses) for _ in query.series])
            for call, query in zip(calls, queries, strict=True)
        ]

    def describe(self) -> Reply:
        """The card: what the model is, and what it takes."""
        card = self._engine.card.to_dict()
        card["calibration"] = {
            "windows": len(self._calibration.scores),
            "quantile": self._calibration.quantile,
            "threshold": self._calibration.threshold(),
            "largest_quantile": self._calibration.largest_quantile,
        }
        return Reply(200, orjson.dumps(self._about | {"example": self.example(), "card": card}))

    def example(self) -> dict[str, Any]:
        """A body that can be posted."""
        # Four digits are enough for an example, and keep it readable.
        window = [[float(f"{v:.4g}") for v in step] for step in self._engine.typical_window()]
        return {"data": window if len(window[0]) > 1 else [value for (value,) in window]}

    def warm_up(self) -> None:
        """Run once, so that the first request does not pay for what is set up on first use."""
        self.answer([Call(self.example())])

    def _parse(self, call: Call) -> Query | Reply:
        try:
            if call.body is None:
                raise MalformedError(
                    "body",
                    "no body arrived: send JSON with the header Content-Type: application/json",
                )
            query = parse(call.body, self._engine.card)
            windows = sum(
                len(window_starts(len(s), self._engine.card.window, self._stride(query)))
                for s in query.series
            )
            require(
                windows <= self._limits.windows,
                "stride",
                f"{self._stride(query)} makes {windows} windows, a request may have "
                f"{self._limits.windows}: raise it or send less at once",
            )
            if query.threshold is None:
                self._threshold(query)
            return query
        except FieldError as error:
            return _error(error)

    def _stride(self, query: Query) -> int:
        return query.stride or self._engine.card.stride

    def _threshold(self, query: Query) -> float:
        if query.threshold is not None:
            return query.threshold
        return self._calibration.threshold(query.quantile)

    def _reply(self, call: Call, query: Query, analyses: list[Analysis]) -> Reply:
        output = query.output or (EXPLANATION if call.explain else PREDICTION)
        predictions = [
            self._prediction(query, analysis, output, flat)
            for analysis, flat in zip(analyses, query.flat, strict=True)
        ]
        content = {"predictions": predictions} if query.many else predictions[0]
        # NaN marks what nothing was observed of, and becomes null.
        body = orjson.dumps(self._about | content, option=orjson.OPT_SERIALIZE_NUMPY)
        if len(body) > self._limits.response_bytes:
            return _error(
                FieldError(
                    "output",
                    f"the answer would have {len(body)} bytes, over the limit of "
                    f"{self._limits.response_bytes}: ask for less, raise the stride or send less",
                )
            )
        return Reply(200, body)

    def _prediction(
        self, query: Query, analysis: Analysis, output: Sequence[Output], flat: bool
    ) -> dict[str, Any]:
        card = self._engine.card
        prediction: dict[str, Any] = {
            "window": {
                "length": card.window,
                "stride": self._stride(query),
                "starts": analysis.starts,
            }
        }
        if "latent" in output:
            prediction["latent"] = analysis.latent
        if "score" in output:
            threshold = self._threshold(query)
            prediction |= {
                "score": analysis.score,
                "tail_probability": self._calibration.tail_probability(analysis.score),
                "threshold": threshold,
                "is_anomaly": analysis.score > threshold,
            }
        if "reconstruction" in output:
            prediction["reconstruction"] = _shaped(analysis.reconstruction, flat)
        if "point_scores" in output:
            prediction["point_scores"] = analysis.point_scores
        if "contributions" in output:
            prediction["contributions"] = _shaped(scoring.contributions(analysis.nll), flat)
        return prediction


def _shaped(values: np.ndarray, flat: bool) -> np.ndarray:
    """Without the channel axis where the request had none."""
    return np.ascontiguousarray(values[..., 0]) if flat else values


def _error(error: FieldError) -> Reply:
    status = 400 if isinstance(error, MalformedError) else 422
    content = {"code": status, "message": error.message, "field": error.field}
    return Reply(status, orjson.dumps(content))
