"""The JSON of answers, as types from which their schema is made."""

from typing import Annotated, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict  # pydantic wants it where typing has another

__all__ = [
    "CLOSED",
    "Drawing",
    "Fault",
    "InferenceAnswer",
    "Prediction",
    "Predictions",
    "ServerFault",
]

CLOSED = ConfigDict(extra="forbid")

# Null is what nothing is known of: a window, step or channel of which nothing was observed.
Number = float | None
Steps = Annotated[
    list[float | str | None] | list[list[float | str | None]],
    Field(description="Values step by step as in the request, categories as text."),
]


@with_config(CLOSED)
class Window(TypedDict):
    """Where the windows of a series are."""

    length: Annotated[int, Field(description="Time steps of a window.")]
    stride: Annotated[int, Field(description="Steps between windows.")]
    starts: Annotated[list[int], Field(description="First step of each window.")]


@with_config(CLOSED)
class Channel(TypedDict):
    """A channel that tells of an event."""

    name: str
    score: Annotated[float, Field(description="Of the channel at the event's peak.")]


@with_config(CLOSED)
class Event(TypedDict):
    """Steps that score above the threshold."""

    start: Annotated[int, Field(description="Its first step.")]
    end: Annotated[int, Field(description="The step after its last.")]
    peak: Annotated[int, Field(description="Its least likely step.")]
    score: Annotated[float, Field(description="Of its highest step.")]
    severity: Annotated[float, Field(description="Of that score.")]
    channels: Annotated[list[Channel], Field(description="The least likely at the peak, up to 3.")]
    start_time: NotRequired[str]
    last_time: NotRequired[str]
    peak_time: NotRequired[str]


@with_config(CLOSED)
class OfSeries(TypedDict):
    """What was asked for of one series: W windows, N steps, C channels, T steps of a window."""

    series: NotRequired[Annotated[str, Field(description="Its name, if it came with one.")]]
    window: Window
    latent: NotRequired[
        Annotated[list[list[float]], Field(description="Centre of q(z|x) of each window, W x D.")]
    ]
    score: NotRequired[Annotated[list[Number], Field(description="Of each window, W.")]]
    tail_probability: NotRequired[
        Annotated[
            list[Number],
            Field(description="Bound on how often a normal window scores as high, W."),
        ]
    ]
    severity: NotRequired[
        Annotated[list[Number], Field(description="-log10 of the tail probability, W.")]
    ]
    threshold: NotRequired[
        Annotated[
            float | list[Number],
            Field(description="Of all windows, or of each, where null is infinite."),
        ]
    ]
    is_anomaly: NotRequired[
        Annotated[list[bool], Field(description="Whether each window scores above it, W.")]
    ]
    reconstruction: NotRequired[Steps]
    expected: NotRequired[Steps]
    lower: NotRequired[Steps]
    upper: NotRequired[Steps]
    point_scores: NotRequired[Annotated[list[Number], Field(description="Of each step, N.")]]
    contributions: NotRequired[
        Annotated[
            list[list[Number]] | list[list[list[Number]]],
            Field(description="What each step and channel adds to the score, W x T or W x T x C."),
        ]
    ]
    events: NotRequired[list[Event]]


@with_config(CLOSED)
class About(TypedDict):
    """Which model answers."""

    model: str
    version: str


@with_config(CLOSED)
class Prediction(OfSeries, About):
    """The answer to `data` and `columns`."""


@with_config(CLOSED)
class Predictions(About):
    """The answer to `instances`."""

    predictions: list[OfSeries]


@with_config(CLOSED)
class Drawing(About):
    """The answer to the tasks decode and sample."""

    instances: Annotated[list[Steps], Field(description="Windows in the data's units.")]
    latent: Annotated[list[list[float]], Field(description="What they are decoded from.")]
    seed: NotRequired[Annotated[int, Field(description="That draws the same again.")]]


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
class Fault(TypedDict):
    """What is wrong with a request."""

    code: Annotated[int, Field(description="The status.")]
    message: str
    field: Annotated[str, Field(description="Which field of the request is wrong.")]
    error: NotRequired[
        Annotated[str, Field(description="The same for clients of the Open Inference Protocol.")]
    ]


class ServerFault(TypedDict):
    """What TorchServe itself answers where no model is asked."""

    code: int
    type: str
    message: str
