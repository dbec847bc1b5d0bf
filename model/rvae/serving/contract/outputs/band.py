"""Output `band`: bounds around the reconstruction, within which normal values lie."""

from typing import Any

from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.outputs.output import Axis, Field, Output, Steps

__all__ = ["BAND"]


def compute(request: Computation) -> list[dict[str, Any]]:
    """Expected value, lower and upper bound of each point (N, C).

    Raises:
        FieldError: If the quantile is above the range of the bands.
    """
    return [
        dict(request.card.band(analysis.reconstruction, request.quantile))
        for analysis in request.analyses
    ]


BAND = Output(
    name="band",
    axis=Axis.POINT,
    fields=tuple(
        Field(name, Steps, axes=("channel",), in_units=True)
        for name in ("expected", "lower", "upper")
    ),
    compute=compute,
)
