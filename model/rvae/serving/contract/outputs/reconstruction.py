"""Output `reconstruction`: series as the model reconstructs them."""

from typing import Any

from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.outputs.output import Axis, Field, Output, Steps

__all__ = ["RECONSTRUCTION"]


def compute(request: Computation) -> list[dict[str, Any]]:
    """The reconstruction of each point (N, C), the mean over its windows."""
    return [{"reconstruction": analysis.reconstruction} for analysis in request.analyses]


RECONSTRUCTION = Output(
    name="reconstruction",
    axis=Axis.POINT,
    fields=(Field("reconstruction", Steps, axes=("channel",), in_units=True),),
    compute=compute,
)
