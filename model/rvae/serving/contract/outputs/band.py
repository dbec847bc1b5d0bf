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
    card, bands = request.card, request.card.bands
    # The default quantile must not be an error where it is above the range of the bands.
    quantile = request.quantile or min(request.calibration.quantile, bands.largest_quantile)
    values = []
    for analysis in request.analyses:
        expected = analysis.reconstruction
        lower, upper = bands.around(expected, card.scaler, quantile)
        values.append({"expected": expected, "lower": lower, "upper": upper})
    return values


BAND = Output(
    name="band",
    axis=Axis.POINT,
    fields=tuple(
        Field(name, Steps, axes=("channel",), in_units=True)
        for name in ("expected", "lower", "upper")
    ),
    compute=compute,
)
