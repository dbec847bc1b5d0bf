"""Results of a server as the columns of tables: the rows that the model writes in this process.

See `rvae.inference.export`, whose functions have the same names.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rvae.client.bulk import Bulk, Result, Wanted
from rvae.client.located_events import locate_events
from rvae.data.series import Series
from rvae.inference import records
from rvae.inference.records import Columns
from rvae.scoring.aggregation import step_scores
from rvae.scoring.events import Event, steps_in_events
from rvae.serving.contract.outputs.band import BAND
from rvae.serving.contract.outputs.events import EVENTS
from rvae.serving.contract.outputs.latent import LATENT
from rvae.serving.contract.outputs.point_scores import POINT_SCORES
from rvae.serving.contract.outputs.reconstruction import RECONSTRUCTION
from rvae.serving.contract.outputs.score import SCORE

__all__ = [
    "Judging",
    "event_records",
    "latent_records",
    "point_records",
    "reconstruction_records",
    "window_records",
]


@dataclass(frozen=True)
class Judging:
    """What is anomalous: fields of a request, each left out if None.

    Attributes:
        quantile: Quantile of normal scores that is the threshold; the model's own if left out.
        alarms: At most so many false events, in place of the quantile.
        adapt: Rate at which the threshold follows each series; fixed if left out.
        gap: Most steps between windows of one event; the stride if left out.
    """

    quantile: float | None = None
    alarms: str | None = None
    adapt: float | None = None
    gap: int | None = None

    @property
    def of_windows(self) -> dict[str, Any]:
        """The fields that windows are judged by."""
        fields = {"quantile": self.quantile, "alarms": self.alarms, "adapt": self.adapt}
        return {name: value for name, value in fields.items() if value is not None}

    @property
    def of_events(self) -> dict[str, Any]:
        """The fields that events are found by."""
        return self.of_windows | ({} if self.gap is None else {"gap": self.gap})


def window_records(
    bulk: Bulk, series: Sequence[Series], stride: int | None, judging: Judging
) -> Iterator[Columns]:
    """One row per window: its position, its score, and the meaning of the score."""
    wanted = Wanted((SCORE.name,), judging.of_windows)
    for result in bulk.results(series, stride, [wanted]):
        yield _window_rows(
            bulk, result, {one.name: result.fields[one.name] for one in SCORE.fields}
        )


def point_records(
    bulk: Bulk, series: Sequence[Series], stride: int | None, judging: Judging
) -> Iterator[Columns]:
    """One row per time step: its score, whether it is anomalous, and where normal values lie.

    The band is that of the model's own quantile.
    """
    points = (POINT_SCORES.name, BAND.name)
    windows = (SCORE.name, EVENTS.name)
    if judging.quantile is None:
        wanted = [Wanted((*windows, *points), judging.of_events)]
    else:  # which would move the band, too
        wanted = [Wanted(windows, judging.of_events), Wanted(points)]
    for result in bulk.results(series, stride, wanted):
        events, fields = _events(bulk, result, stride, judging.gap), result.fields
        scores, thresholds = step_scores(
            fields["score"],
            fields["threshold"],
            result.starts,
            bulk.description.window,
            len(result.series),
        )
        columns: Columns = {
            "score": fields["point_scores"],
            "window_score": scores,
            "threshold": thresholds,
            "is_anomaly": steps_in_events(events, len(result.series)),
        }
        for name in (one.name for one in BAND.fields):
            columns |= _channels(bulk, fields[name], f"_{name}")
        yield records.point_records(result.series, columns)


def event_records(
    bulk: Bulk, series: Sequence[Series], stride: int | None, judging: Judging
) -> Iterator[Columns]:
    """One row per event: its position, its severity, and its most anomalous channel."""
    wanted = Wanted((SCORE.name, EVENTS.name), judging.of_events)
    for result in bulk.results(series, stride, [wanted]):
        found = _events(bulk, result, stride, judging.gap)
        yield records.event_records(result.series, found)


def latent_records(bulk: Bulk, series: Sequence[Series], stride: int | None) -> Iterator[Columns]:
    """One row per window: its position, and its latent."""
    for result in bulk.results(series, stride, [Wanted((LATENT.name,))]):
        latents = result.fields[LATENT.name].T
        yield _window_rows(bulk, result, {f"latent_{i}": one for i, one in enumerate(latents)})


def reconstruction_records(
    bulk: Bulk, series: Sequence[Series], stride: int | None
) -> Iterator[Columns]:
    """One row per time step: its reconstruction, the mean over the windows that cover it."""
    for result in bulk.results(series, stride, [Wanted((RECONSTRUCTION.name,))]):
        columns = _channels(bulk, result.fields[RECONSTRUCTION.name], "")
        yield records.point_records(result.series, columns)


def _events(bulk: Bulk, result: Result, stride: int | None, gap: int | None) -> list[Event]:
    """The events of a series: those of the answer, if a single one is about all of it."""
    if EVENTS.name in result.fields:
        found: list[Event] = result.fields[EVENTS.name]
        return found
    stride = bulk.description.stride if stride is None else stride
    return locate_events(bulk, result, stride, stride if gap is None else gap)


def _window_rows(bulk: Bulk, result: Result, columns: Mapping[str, Any]) -> Columns:
    window = bulk.description.window
    return records.window_records(result.series, result.starts, window, columns)


def _channels(bulk: Bulk, values: Sequence[Any], suffix: str) -> Columns:
    names = (f"{name}{suffix}" for name in bulk.description.channels)
    return dict(zip(names, map(np.asarray, values), strict=True))
