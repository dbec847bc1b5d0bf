"""The JSON of answers, as types from which their schema is made."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict  # pydantic wants it where typing has another

from rvae.serving.contract.outputs import OUTPUTS
from rvae.serving.contract.outputs.output import CLOSED, Steps
from rvae.serving.contract.schema.description_schema import TensorSaid

__all__ = [
    "Drawing",
    "Fault",
    "Health",
    "InferenceAnswer",
    "Live",
    "ModelMetadata",
    "ModelReady",
    "Ready",
    "ServerFault",
    "ServerMetadata",
    "answer_types",
]


@with_config(CLOSED)
class Window(TypedDict):
    """The windows of a series."""

    length: Annotated[int, Field(description="Time steps of a window.")]
    stride: Annotated[int, Field(description="Steps between windows.")]
    starts: Annotated[list[int], Field(description="First step of each window.")]


@with_config(CLOSED)
class About(TypedDict):
    """The model that answers."""

    model: str
    version: str


@with_config(CLOSED)
class Drawing(About):
    """The answer to the tasks decode and sample."""

    instances: Annotated[list[Steps], Field(description="Windows in the data's units.")]
    latent: Annotated[list[list[float]], Field(description="The latents that were decoded.")]
    seed: NotRequired[Annotated[int, Field(description="Draws the same latents again.")]]


def answer_types() -> tuple[Any, ...]:
    """Types of the answers in JSON to requests about series, made of the registered outputs.

    Returns:
        `Prediction`, the answer to `data` and `columns`, and `Predictions`, that to `instances`.
    """
    series: dict[str, Any] = {
        "series": NotRequired[Annotated[str, Field(description="Its name, if it came with one.")]],
        "window": Window,
        **{
            field.name: NotRequired[field.schema]
            for output in OUTPUTS.values()
            for field in output.fields
        },
    }
    about = {"model": str, "version": str}
    of_series = _type(
        "OfSeries",
        "Outputs of one series: W windows, N steps, C channels, T steps of a window.",
        series,
    )
    return (
        _type("Prediction", "The answer to `data` and `columns`.", series | about),
        _type(
            "Predictions",
            "The answer to `instances`.",
            about | {"predictions": list[of_series]},  # type: ignore[valid-type]
        ),
    )


def _type(name: str, description: str, fields: Mapping[str, Any]) -> Any:
    make: Any = TypedDict
    made = make(name, dict(fields))
    made.__doc__ = description
    return with_config(CLOSED)(made)


@with_config(CLOSED)
class TensorOutput(TypedDict):
    """A tensor of an answer, its values row by row."""

    name: str
    shape: list[int]
    datatype: str
    data: list[float | bool | None]


@with_config(CLOSED)
class InferenceAnswer(TypedDict):
    """The answer to a request of the Open Inference Protocol."""

    model_name: str
    model_version: str
    id: NotRequired[str]
    outputs: list[TensorOutput]


@with_config(CLOSED)
class ServerMetadata(TypedDict):
    """What the server is, for the Open Inference Protocol."""

    name: str
    version: str
    extensions: list[str]


@with_config(CLOSED)
class Live(TypedDict):
    """That the server answers."""

    live: Literal[True]


@with_config(CLOSED)
class Ready(Live):
    """That every model is ready to answer."""

    ready: Literal[True]


@with_config(CLOSED)
class ModelReady(TypedDict):
    """That a version of a model is ready to answer."""

    name: str
    ready: Literal[True]


@with_config(CLOSED)
class ModelMetadata(TypedDict):
    """What a model takes and answers with, for the Open Inference Protocol."""

    name: str
    versions: Annotated[list[str], Field(description="All that are served.")]
    platform: str
    inputs: NotRequired[
        Annotated[
            list[TensorSaid],
            Field(
                description="Of a request for the scores of one series; missing where an earlier "
                "version of rvae has made the archive."
            ),
        ]
    ]
    outputs: NotRequired[Annotated[list[TensorSaid], Field(description="All that may answer it.")]]


@with_config(CLOSED)
class Fault(TypedDict):
    """What is wrong with a request."""

    code: Annotated[int, Field(description="The status.")]
    message: str
    field: Annotated[str, Field(description="Which field of the request is wrong.")]
    error: NotRequired[
        Annotated[str, Field(description="The same for clients of the Open Inference Protocol.")]
    ]


@with_config(CLOSED)
class Health(TypedDict):
    """Whether every model is ready to answer."""

    status: Literal["Healthy", "Unhealthy"]
    reasons: Annotated[
        list[str], Field(description="Why not; of one that is healthy, what will be a trouble.")
    ]


class ServerFault(TypedDict):
    """An error of TorchServe itself, where nothing stands before it."""

    code: int
    type: str
    message: str
