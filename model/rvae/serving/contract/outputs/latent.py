"""Output `latent`: latent vectors of windows."""

from typing import Annotated, Any

from pydantic import Field as SchemaField

from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.outputs.output import Axis, Field, Output
from rvae.serving.contract.sizes import Kind

__all__ = ["LATENT"]


def compute(request: Computation) -> list[dict[str, Any]]:
    """The centre of q(z|x) of each window (W, D)."""
    return [{"latent": analysis.latent} for analysis in request.analyses]


LATENT = Output(
    name="latent",
    axis=Axis.WINDOW,
    fields=(
        Field(
            "latent",
            Annotated[
                list[list[float]],
                SchemaField(description="Centre of q(z|x) of each window, W x D."),
            ],
            axes=("latent",),
            kind=Kind.FLOAT32,
        ),
    ),
    compute=compute,
    decodes=False,
)
