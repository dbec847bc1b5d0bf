"""Output `step_evidence`: how much each point speaks for an anomaly."""

from typing import Annotated, Any

from pydantic import Field as SchemaField

from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.outputs.output import Axis, Field, Number, Output

__all__ = ["STEP_EVIDENCE"]


def compute(request: Computation) -> list[dict[str, Any]]:
    """The evidence of each point (N,), by which events are located within their windows."""
    return [
        {"step_evidence": analysis.step_evidence(0, len(analysis.starts) - 1)}
        for analysis in request.analyses
    ]


STEP_EVIDENCE = Output(
    name="step_evidence",
    axis=Axis.POINT,
    fields=(
        Field(
            "step_evidence",
            Annotated[
                list[Number],
                SchemaField(
                    description="How much each step speaks for an anomaly, N: it locates events "
                    "within their windows. Only ratios of distances from the least one matter."
                ),
            ],
        ),
    ),
    compute=compute,
)
