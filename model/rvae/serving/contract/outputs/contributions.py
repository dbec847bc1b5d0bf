"""Output `contributions`: what each step and channel adds to the score of a window."""

from typing import Annotated, Any

from pydantic import Field as SchemaField

from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.outputs.output import Axis, Field, Number, Output
from rvae.serving.contract.sizes import Kind

__all__ = ["CONTRIBUTIONS"]


def compute(request: Computation) -> list[dict[str, Any]]:
    """Contributions (W, T, C), which sum up to the score of the window."""
    return [{"contributions": analysis.contributions} for analysis in request.analyses]


CONTRIBUTIONS = Output(
    name="contributions",
    axis=Axis.WINDOW,
    fields=(
        Field(
            "contributions",
            Annotated[
                list[list[Number]] | list[list[list[Number]]],
                SchemaField(
                    description="What each step and channel adds to the score, W x T or W x T x C."
                ),
            ],
            axes=("step", "channel"),
            kind=Kind.FLOAT,
        ),
    ),
    compute=compute,
)
