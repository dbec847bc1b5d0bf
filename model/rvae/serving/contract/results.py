"""Results of a request: values of every output, per series, or windows that were generated."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.inference.analysis import Analysis, Encoded
from rvae.inference.card import Card
from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.query import Query

__all__ = ["Samples", "SeriesResult", "compute_results"]


@dataclass(frozen=True)
class SeriesResult:
    """The requested outputs of one series, as they are computed.

    Attributes:
        series: The series.
        starts: First step of each window (W,).
        values: By the names of fields, as `Output.compute` gives them.
    """

    series: Series
    starts: NDArray[np.int64]
    values: dict[str, Any]


@dataclass(frozen=True)
class Samples:
    """Windows that a model has sampled or decoded.

    Attributes:
        windows: In the data's units (S, T, C).
        latent: Latents that were decoded (S, D).
        seed: Seed of the latents, if they were drawn.
    """

    windows: NDArray[np.float64]
    latent: NDArray[np.float32]
    seed: int | None


def compute_results(
    analyses: Sequence[Encoded], query: Query, card: Card, most_events: int
) -> list[SeriesResult]:
    """The outputs that a request asks for, from the analyses of its series.

    Args:
        analyses: What the model finds in each series; latents are enough if no output decodes.
        query: The request.
        card: Card of the model.
        most_events: Maximum number of events that an answer has room for.

    Raises:
        FieldError: If an output cannot be computed for the options of the request.
    """
    options = query.options
    request = Computation(
        cast("Sequence[Analysis]", analyses),  # whatever an output asks for is there
        card,
        query.stride,
        options.quantile,
        options.alarms,
        options.threshold,
        options.adapt,
        options.gap,
        most_events,
    )
    results = [
        SeriesResult(series, analysis.starts, {})
        for series, analysis in zip(query.inputs.series, analyses, strict=True)
    ]
    for output in query.outputs:
        for result, values in zip(results, output.compute(request), strict=True):
            result.values.update(values)
    return results
