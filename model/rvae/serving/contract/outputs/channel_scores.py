"""Output `channel_scores`: scores per point and channel."""

from typing import Annotated, Any

from pydantic import Field as SchemaField

from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.outputs.output import Axis, Field, Number, Output

__all__ = ["CHANNEL_SCORES"]


def compute(request: Computation) -> list[dict[str, Any]]:
    """The score of each channel at each point (N, C), the mean over its windows."""
    return [{"channel_scores": analysis.channel_scores} for analysis in request.analyses]


CHANNEL_SCORES = Output(
    name="channel_scores",
    axis=Axis.POINT,
    fields=(
        Field(
            "channel_scores",
            Annotated[
                list[Number] | list[list[Number]],
                SchemaField(description="Score of each channel per step, N or N x C."),
            ],
            axes=("channel",),
        ),
    ),
    compute=compute,
)
