"""The JSON of the description of a model, as types from which its schema is made."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict  # pydantic wants it where typing has another

from rvae.serving.contract.options import OutputName, Task
from rvae.serving.contract.outputs.output import CLOSED

__all__ = [
    "CalibrationSaid",
    "CardSaid",
    "CategoryChannel",
    "Description",
    "LimitsSaid",
    "NumberChannel",
    "PublicCard",
    "PublicDescription",
    "RecalibrationSaid",
    "Registered",
    "TensorSaid",
    "TensorsSaid",
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
    low: Annotated[float, Field(description="Lowest value that a request may hold.")]
    high: Annotated[float, Field(description="Highest value that a request may hold.")]
    mean: Annotated[float, Field(description="Mean of the training data.")]
    scale: Annotated[float, Field(description="Spread of the training data.")]


@with_config(CLOSED)
class CategoryChannel(TypedDict):
    """A channel of categories."""

    name: str
    kind: Literal["category"]
    categories: list[str]


@with_config(CLOSED)
class TimesSaid(TypedDict):
    """Times of the series."""

    needed: Annotated[bool, Field(description="Whether requests must have timestamps.")]
    interval_seconds: NotRequired[
        Annotated[float, Field(description="Median between steps of the training data.")]
    ]


@with_config(CLOSED)
class TensorSaid(TypedDict):
    """A tensor of the Open Inference Protocol."""

    name: str
    datatype: str
    shape: Annotated[
        list[Annotated[int, Field(ge=-1)]],
        Field(description="Sizes of its axes, -1 where requests decide."),
    ]


@with_config(CLOSED)
class TensorsSaid(TypedDict):
    """The tensors of a request for the scores of one series, and all that may answer it."""

    inputs: list[TensorSaid]
    outputs: list[TensorSaid]


@with_config(CLOSED)
class ThresholdSaid(TypedDict):
    """The threshold at a quantile."""

    quantile: Quantile
    threshold: float
    events_per_step: Annotated[
        float, Field(gt=0, description="Events in a step of normal data, at most.")
    ]


@with_config(CLOSED)
class CalibrationSaid(TypedDict):
    """The scores from which thresholds are taken."""

    quantile: Annotated[Quantile, Field(description="Quantile of the default threshold.")]
    windows: Annotated[int, Field(ge=1, description="Held-out normal windows.")]
    independent_windows: Annotated[
        int, Field(ge=1, description="Blocks of them that count as independent.")
    ]
    keeps_promise: Annotated[
        bool, Field(description="Whether those are enough for what was asked for in training.")
    ]
    largest_quantile: Annotated[Quantile, Field(description="Largest quantile of requests.")]
    largest_quantile_of_bands: NotRequired[
        Annotated[Quantile, Field(description="Largest quantile of requests for a band.")]
    ]
    contamination: Annotated[
        float, Field(ge=0, lt=0.5, description="Share of windows that are assumed to be anomalous.")
    ]
    promise: Annotated[
        str, Field(description="What the default threshold promises about normal data, in words.")
    ]
    flagged_share: Annotated[
        float, Field(gt=0, lt=1, description="Share of normal windows that it flags, at most.")
    ]
    events_per_step: Annotated[
        float, Field(gt=0, description="Events in a step of normal data above it, at most.")
    ]
    events_per_week: NotRequired[
        Annotated[float, Field(gt=0, description="The same per week, if the data has times.")]
    ]
    fewest_events_per_step: Annotated[
        float, Field(gt=0, description="Lowest rate of alarms of requests.")
    ]
    fewest_events_per_week: NotRequired[
        Annotated[float, Field(gt=0, description="The same per week, if the data has times.")]
    ]
    segment_steps: Annotated[
        int, Field(ge=1, description="Steps in which at most one event begins.")
    ]
    block_steps: Annotated[float, Field(ge=1, description="Mean steps of an independent block.")]


@with_config(CLOSED)
class RecalibrationSaid(TypedDict):
    """A change of the calibration after the training."""

    date: Annotated[str, Field(description="Date and time in UTC.")]
    kind: Annotated[
        Literal["added", "replaced"],
        Field(description="Whether new scores were added to the old ones, or took their place."),
    ]
    data: NotRequired[Annotated[str, Field(description="Name of the file of the new data.")]]
    windows: Annotated[int, Field(ge=1, description="Windows of the new data.")]
    blocks: Annotated[int, Field(ge=1, description="Blocks of them that count as independent.")]
    false_alarms: Annotated[
        int, Field(ge=0, description="Events that were judged false alarms, and count as normal.")
    ]
    confirmed: Annotated[int, Field(ge=0, description="Confirmed events, which were left out.")]
    unjudged: Annotated[
        int, Field(ge=0, description="Events that were not judged, and were left out.")
    ]
    asked_quantile: Annotated[Quantile, Field(description="Quantile that was asked for.")]
    asked_alarms: NotRequired[
        Annotated[str, Field(description="Rate of events that was asked for instead.")]
    ]
    quantile_before: Annotated[Quantile, Field(description="Quantile of the threshold before.")]
    quantile: Annotated[Quantile, Field(description="Quantile of the threshold after.")]
    threshold_before: float
    threshold: float
    version: Annotated[str, Field(description="Version of rvae.")]


@with_config(CLOSED)
class VersionsSaid(TypedDict):
    """Versions of software, by name."""

    trained: dict[str, str]
    serving: dict[str, str]


@with_config(CLOSED)
class PublicCard(TypedDict):
    """What clients need to know of a model: its inputs, and the meaning of its scores."""

    window: Annotated[int, Field(ge=1, description="Time steps of a window.")]
    stride: Annotated[int, Field(ge=1, description="Default steps between windows.")]
    channels: list[NumberChannel | CategoryChannel]
    classes: Annotated[
        list[str], Field(description="Classes, one of which is the label of a series.")
    ]
    times: TimesSaid
    reader: Annotated[
        dict[str, Any],
        Field(description="How the training file was read: names of columns, grid, holes, format."),
    ]
    latent: Annotated[int, Field(ge=1, description="Size of a latent vector.")]
    tasks: list[Task]
    outputs: list[OutputName]
    request: Annotated[dict[str, Any], Field(description="The JSON Schema of requests.")]
    tensors: TensorsSaid
    scoring: Annotated[dict[str, Any], Field(description="How scores are computed.")]
    threshold: Annotated[float, Field(description="Score above which a window is anomalous.")]
    thresholds: list[ThresholdSaid]
    calibration: CalibrationSaid


@with_config(CLOSED)
class CardSaid(PublicCard):
    """The card of a model: what clients need to know, and where it comes from."""

    history: Annotated[
        list[RecalibrationSaid], Field(description="Changes of the calibration since the training.")
    ]
    network: Annotated[dict[str, Any], Field(description="Architecture of the network.")]
    training: Annotated[dict[str, Any], Field(description="Summary of the training.")]
    versions: VersionsSaid
    checksum: Annotated[
        str, Field(description="Checksum of the weights.", pattern="^sha256:[0-9a-f]{64}$")
    ]
    graphs: NotRequired[
        Annotated[
            dict[str, Any],
            Field(description="Graphs of the network, and how far they are from torch."),
        ]
    ]


@with_config(CLOSED)
class LimitsSaid(TypedDict):
    """Limits of a request."""

    values: Annotated[
        int,
        Field(description="Windows x steps x channels, counting every category."),
    ]
    response_bytes: Annotated[int, Field(description="Size of an answer.")]
    seconds: Annotated[float, Field(description="Time of a batch.")]


@with_config(CLOSED)
class RuntimeSaid(TypedDict):
    """What runs the network, and what was measured and chosen on this machine."""

    name: Annotated[str, Field(description="torch, or the runtime of the archive's graphs.")]
    windows_per_run: Annotated[int, Field(ge=1, description="Most windows of a run.")]
    concurrency: Annotated[int, Field(ge=1, description="Runs at a time, if there are several.")]
    device: NotRequired[Annotated[str, Field(description="Device of torch.")]]
    threads: NotRequired[
        Annotated[int, Field(ge=1, description="Threads of a run of few windows.")]
    ]
    seconds_alone: NotRequired[Annotated[float, Field(description="Time of a window alone.")]]
    windows_per_second: NotRequired[Annotated[float, Field(description="Rate of many windows.")]]


class _Described(TypedDict):
    """What every description holds."""

    model: str
    version: str
    example: Annotated[dict[str, Any], Field(description="A body that can be posted.")]
    limits: LimitsSaid


@with_config(CLOSED)
class PublicDescription(_Described):
    """The description of a model for its clients; what is unknown is left out."""

    card: PublicCard


@with_config(CLOSED)
class Description(_Described):
    """The whole description of a model; what is unknown is left out."""

    card: CardSaid
    runtime: RuntimeSaid


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
        Annotated[Description, Field(description="Only if it was asked for.")]
    ]
