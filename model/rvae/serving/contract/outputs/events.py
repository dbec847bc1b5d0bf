"""Output `events`: anomalous stretches of a series."""

from typing import Annotated, Any, NotRequired

from pydantic import Field as SchemaField
from pydantic import with_config
from typing_extensions import TypedDict  # pydantic wants it where typing has another

from rvae.data.series import Series
from rvae.errors import require
from rvae.scoring import events
from rvae.scoring.clusters import find_clusters
from rvae.scoring.events import PERSISTENT
from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.outputs.output import CLOSED, Axis, Field, Output

__all__ = ["EVENTS", "event_json"]


@with_config(CLOSED)
class Channel(TypedDict):
    """A channel that contributes to an event."""

    name: str
    score: Annotated[float, SchemaField(description="Of the channel at the event's peak.")]


@with_config(CLOSED)
class Event(TypedDict):
    """An anomaly, located within the windows that score above the threshold."""

    start: Annotated[int, SchemaField(description="Its first step.")]
    end: Annotated[int, SchemaField(description="The step after its last.")]
    peak: Annotated[int, SchemaField(description="Its step with the largest error.")]
    score: Annotated[float, SchemaField(description="The highest of its windows.")]
    severity: Annotated[float, SchemaField(description="Severity of that score.")]
    tail_probability: Annotated[
        float, SchemaField(description="Tail probability of that score.", ge=0, le=1)
    ]
    persistent: Annotated[
        bool,
        SchemaField(
            description="Whether scores stay above the calibration's threshold for at least "
            f"{PERSISTENT} window lengths: a change of the series, rather than an anomaly."
        ),
    ]
    channels: Annotated[
        list[Channel], SchemaField(description="The least likely at the peak, up to 3.")
    ]
    start_time: NotRequired[str]
    last_time: NotRequired[str]
    peak_time: NotRequired[str]


def compute(request: Computation) -> list[dict[str, Any]]:
    """The events of each series, in order.

    Raises:
        FieldError: If there are more than an answer has room for. They are counted before any is
            located, which takes a thousand times as long.
    """
    gap = request.stride if request.gap is None else request.gap
    thresholds = request.by_series(request.thresholds)
    if sum(len(analysis.starts) for analysis in request.analyses) > request.most_events:
        count = sum(
            len(find_clusters(one.score, threshold, one.starts, request.card.window, gap))
            for one, threshold in zip(request.analyses, thresholds, strict=True)
        )
        require(
            count <= request.most_events,
            "output",
            f"there are {count} events, an answer has room for at most {request.most_events}: "
            "raise the threshold or the gap, or send less",
        )
    return [
        {"events": analysis.events(threshold, request.calibration, gap)}
        for analysis, threshold in zip(request.analyses, thresholds, strict=True)
    ]


def event_json(event: events.Event, series: Series) -> dict[str, Any]:
    """An event of a series as orjson can write it, with times if the series has times."""
    content: dict[str, Any] = {
        "start": event.start,
        "end": event.end,
        "peak": event.peak,
        "score": event.score,
        "severity": event.severity,
        "tail_probability": event.tail_probability,
        "persistent": event.persistent,
        "channels": [{"name": name, "score": score} for name, score in event.channels],
    }
    if series.times is None:
        return content
    times = series.clock()
    return content | {
        "start_time": times[event.start],
        "last_time": times[event.end - 1],
        "peak_time": times[event.peak],
    }


EVENTS = Output(
    name="events",
    axis=Axis.EVENT,
    fields=(Field("events", list[Event]),),
    compute=compute,
    uses_threshold=True,
)
