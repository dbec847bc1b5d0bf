"""Output `point_scores`: scores per point."""

from typing import Annotated, Any

from pydantic import Field as SchemaField

from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.outputs.output import Axis, Field, Number, Output

__all__ = ["POINT_SCORES"]


def compute(request: Computation) -> list[dict[str, Any]]:
    """The score of each point (N,), the mean over its windows."""
    return [{"point_scores": analysis.point_scores} for analysis in request.analyses]


POINT_SCORES = Output(
    name="point_scores",
    axis=Axis.POINT,
    fields=(
        Field(
            "point_scores",
            Annotated[list[Number], SchemaField(description="Score per step, N.")],
            column="score",  # the same as in the files that `rvae score` writes
        ),
    ),
    compute=compute,
)
