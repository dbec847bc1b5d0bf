"""The outputs of a series: a file and a line of `OUTPUTS` for each output.

The check of requests, the answers in every format and the OpenAPI document read this registry.
"""

from collections.abc import Mapping

from rvae.serving.contract.outputs.band import BAND
from rvae.serving.contract.outputs.channel_scores import CHANNEL_SCORES
from rvae.serving.contract.outputs.contributions import CONTRIBUTIONS
from rvae.serving.contract.outputs.events import EVENTS
from rvae.serving.contract.outputs.latent import LATENT
from rvae.serving.contract.outputs.output import Axis, Output
from rvae.serving.contract.outputs.point_scores import POINT_SCORES
from rvae.serving.contract.outputs.reconstruction import RECONSTRUCTION
from rvae.serving.contract.outputs.score import SCORE
from rvae.serving.contract.outputs.step_evidence import STEP_EVIDENCE

__all__ = ["DEFAULTS", "EXPLANATION", "OUTPUTS", "output_names"]

# By name, in the order in which the documents list them.
OUTPUTS: dict[str, Output] = {
    output.name: output
    for output in (
        SCORE,
        LATENT,
        RECONSTRUCTION,
        BAND,
        POINT_SCORES,
        CHANNEL_SCORES,
        STEP_EVIDENCE,
        CONTRIBUTIONS,
        EVENTS,
    )
}

# Default outputs of each task.
DEFAULTS: Mapping[str, tuple[Output, ...]] = {
    "score": (LATENT, SCORE),
    "encode": (LATENT,),
    "reconstruct": (RECONSTRUCTION,),
}
# The same for a request to the explanations endpoint.
EXPLANATION: tuple[Output, ...] = (SCORE, CONTRIBUTIONS)


def output_names(axis: Axis) -> list[str]:
    """Names of the outputs with an axis."""
    return [output.name for output in OUTPUTS.values() if output.axis is axis]
