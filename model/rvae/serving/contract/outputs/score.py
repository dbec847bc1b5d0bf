"""Output `score`: scores per window, and what they mean."""

from typing import Annotated, Any

import numpy as np
from pydantic import Field as SchemaField

from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.outputs.output import Axis, Field, Number, Output
from rvae.serving.contract.sizes import Kind

__all__ = ["SCORE"]


def compute(request: Computation) -> list[dict[str, Any]]:
    """Scores (W,), tail probabilities, severities, the threshold, its drift and what it flags."""
    scores = np.concatenate([analysis.score for analysis in request.analyses])
    judged = request.rule.judged(scores, request.thresholds)
    parts = (request.by_series(values) for values in judged.values())
    return [dict(zip(judged, one, strict=True)) for one in zip(*parts, strict=True)]


SCORE = Output(
    name="score",
    axis=Axis.WINDOW,
    fields=(
        Field("score", Annotated[list[Number], SchemaField(description="Score per window, W.")]),
        Field(
            "tail_probability",
            Annotated[
                list[Number],
                SchemaField(
                    description="Bound on the probability that a normal window scores as high, W. "
                    "A window is anomalous exactly if it is at most 1 - quantile."
                ),
            ],
        ),
        Field(
            "above_calibration",
            Annotated[
                list[bool],
                SchemaField(
                    description="Whether each window scores above all held-out normal ones, W. "
                    "Its tail probability is then the smallest that these can show."
                ),
            ],
            kind=Kind.FLAG,
        ),
        Field(
            "severity",
            Annotated[
                list[Number],
                SchemaField(
                    description="The score on a scale on which 0 is usual, and 1 the model's own "
                    "threshold, W."
                ),
            ],
        ),
        Field(
            "threshold",
            Annotated[
                float | list[float],
                SchemaField(description="Of all windows, or with adapt per window."),
            ],
            shared=True,
        ),
        Field(
            "drift",
            Annotated[
                float | list[Number],
                SchemaField(
                    description="How far the threshold has followed the series, on the scale of "
                    "severity: 0 for all windows, or with adapt per window."
                ),
            ],
            shared=True,
        ),
        Field(
            "is_anomaly",
            Annotated[
                list[bool], SchemaField(description="Whether each window scores above it, W.")
            ],
            kind=Kind.FLAG,
        ),
    ),
    compute=compute,
    uses_threshold=True,
)
