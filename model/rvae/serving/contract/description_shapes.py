"""The JSON of what a model says of itself, as types from which its schema is made."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict  # pydantic wants it where typing has another

from rvae.serving.contract.options import Task
from rvae.serving.contract.outputs import Output
from rvae.serving.contract.shapes import CLOSED

__all__ = [
    "CalibrationSaid",
    "CardSaid",
    "CategoryChannel",
    "Description",
    "LimitsSaid",
    "NumberChannel",
    "Registered",
    "ThresholdSaid",
    "TimesSaid",
    "VersionsSaid",
]

Quantile = Annotated[float, Field(gt=0, lt=1)]


@with_config(CLOSED)
class NumberChannel(TypedDict):
    """A channel of numbers."""

    name: str
    kind: Literal["number"]
    unit: NotRequired[str]
    low: Annotated[float, Field(description="The least that a request may hold.")]
    high: Annotated[float, Field(description="The most that a request may hold.")]
    mean: Annotated[float, Field(description="Of the training data.")]
    scale: Annotated[float, Field(description="Its spread.")]


@with_config(CLOSED)
class CategoryChannel(TypedDict):
    """A channel of words."""

    name: str
    kind: Literal["category"]
    categories: list[str]


@with_config(CLOSED)
class TimesSaid(TypedDict):
    """What is known of times."""

    needed: Annotated[bool, Field(description="Whether requests must have timestamps.")]
    interval_seconds: NotRequired[
        Annotated[float, Field(description="Between steps of the training data, as a median.")]
    ]


@with_config(CLOSED)
class ThresholdSaid(TypedDict):
    """The threshold at a quantile."""

    quantile: Quantile
    threshold: float


@with_config(CLOSED)
class CalibrationSaid(TypedDict):
    """What thresholds rest on."""

    quantile: Annotated[Quantile, Field(description="Of the threshold, unless a request says.")]
    windows: Annotated[int, Field(ge=1, description="Held-out normal windows.")]
    independent_windows: Annotated[int, Field(ge=0, description="Of them without overlap.")]
    keeps_promise: Annotated[
        bool, Field(description="Whether those are enough to tell the quantile.")
    ]
    largest_quantile: Annotated[Quantile, Field(description="That a request may ask for.")]
    largest_quantile_of_bands: NotRequired[
        Annotated[
            Quantile, Field(description="That a request may ask for with a band around numbers.")
        ]
    ]
    contamination: Annotated[
        float, Field(ge=0, lt=0.5, description="Share of windows taken for anomalies.")
    ]


@with_config(CLOSED)
class VersionsSaid(TypedDict):
    """Of software, by name."""

    trained: dict[str, str]
    serving: dict[str, str]


@with_config(CLOSED)
class CardSaid(TypedDict):
    """What a model is, what it takes, and what its scores mean."""

    window: Annotated[int, Field(ge=1, description="Time steps of a window.")]
    stride: Annotated[int, Field(ge=1, description="Steps between windows, unless a request says.")]
    channels: list[NumberChannel | CategoryChannel]
    classes: Annotated[list[str], Field(description="Of which a label is one, if there are any.")]
    times: TimesSaid
    latent: Annotated[int, Field(ge=1, description="Numbers of a latent vector.")]
    tasks: list[Task]
    outputs: list[Output]
    request: Annotated[dict[str, Any], Field(description="The JSON Schema of requests.")]
    scoring: Annotated[dict[str, Any], Field(description="What a score is.")]
    threshold: Annotated[float, Field(description="Above which a window is anomalous.")]
    thresholds: list[ThresholdSaid]
    calibration: CalibrationSaid
    network: Annotated[dict[str, Any], Field(description="How the network is made.")]
    training: Annotated[dict[str, Any], Field(description="Sketch of the training.")]
    versions: VersionsSaid
    checksum: Annotated[str, Field(description="Of the weights.", pattern="^sha256:[0-9a-f]{64}$")]


@with_config(CLOSED)
class LimitsSaid(TypedDict):
    """What a request may cost."""

    values: Annotated[
        int, Field(description="Windows x steps x channels, a category counting as one.")
    ]
    response_bytes: Annotated[int, Field(description="Of an answer.")]
    seconds: Annotated[float, Field(description="That a batch may take.")]


@with_config(CLOSED)
class Description(TypedDict):
    """What a model says of itself; what is not known is left out."""

    model: str
    version: str
    example: Annotated[dict[str, Any], Field(description="A body that can be posted.")]
    card: CardSaid
    limits: LimitsSaid


class Registered(TypedDict):
    """A version of a model as TorchServe knows it, among other things."""

    # Names are those of TorchServe.
    modelName: str
    modelVersion: str
    batchSize: int
    maxBatchDelay: int
    responseTimeout: int
    minWorkers: int
    maxWorkers: int
    workers: list[dict[str, Any]]
    customizedMetadata: NotRequired[
        Annotated[Description, Field(description="If it was asked for.")]
    ]
