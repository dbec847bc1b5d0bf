"""Results → tables in files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv, parquet

from rvae.data.columns import table_of
from rvae.data.series import Series
from rvae.errors import require
from rvae.inference import records
from rvae.inference.card import Card, ModelSpec
from rvae.inference.engine import Engine
from rvae.inference.records import Columns
from rvae.inference.streams import EventStream, PointStream, SettledPoints, Stretch, stretches
from rvae.scoring.events import Event, steps_in_events
from rvae.scoring.thresholds import ThresholdRule

__all__ = [
    "event_records",
    "latent_records",
    "point_records",
    "reconstruction_records",
    "sample_records",
    "window_records",
    "write",
]

WRITERS = {".csv": csv.CSVWriter, ".parquet": parquet.ParquetWriter}
ROWS_PER_GROUP = 1 << 16


def write(path: Path, pieces: Iterable[Columns]) -> int:
    """Write columns (N,), piece by piece, to a .csv or .parquet file.

    Returns:
        Number of rows.

    Raises:
        FieldError: If the file has another suffix.
    """
    require(path.suffix in WRITERS, "output", f"must end in {' or '.join(WRITERS)}, got {path}")
    require(not path.is_dir(), "output", f"is a folder: {path}")
    path.parent.mkdir(parents=True, exist_ok=True)
    written, writer = 0, None
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        for table in _gathered(map(table_of, pieces)):
            writer = writer or WRITERS[path.suffix](unfinished, table.schema)
            writer.write_table(table)
            written += len(table)
        if writer is not None:
            writer.close()
            unfinished.replace(path)  # Atomic: a reader sees the whole file or none.
    finally:
        unfinished.unlink(missing_ok=True)
    return written


def _gathered(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in larger tables: a .parquet file has a group of rows for each of them."""
    gathered: list[pa.Table] = []
    rows = 0
    for table in tables:
        gathered.append(table)
        rows += len(table)
        if rows >= ROWS_PER_GROUP:
            yield pa.concat_tables(gathered).combine_chunks()
            gathered, rows = [], 0
    if gathered:
        yield pa.concat_tables(gathered).combine_chunks()


def window_records(
    engine: Engine,
    series: Sequence[Series],
    stride: int | None,
    adapt: float | None = None,
    quantile: float | None = None,
) -> Iterator[Columns]:
    """One row per window: its position, its score, and the meaning of the score.

    Args:
        engine: The model.
        series: In the data's units, each with N ≥ T.
        stride: Steps between windows; the model's own if left out.
        adapt: Rate at which the threshold follows each series; a fixed threshold if left out.
        quantile: Quantile of normal scores that is the threshold; the model's own if left out.
    """
    rule = ThresholdRule(engine.card.calibration, adapt, quantile)
    for stretch in stretches(engine, series, stride, rule):
        judged = rule.judged(stretch.analysis.score, stretch.thresholds)
        yield _window_rows(stretch, judged)


def point_records(
    engine: Engine,
    series: Sequence[Series],
    stride: int | None,
    adapt: float | None = None,
    quantile: float | None = None,
) -> Iterator[Columns]:
    """One row per time step: its score, whether it is anomalous, and where normal values lie.

    A step is anomalous if it lies in an event: `event_records` has the same events. The band is
    that of the model's own quantile.

    Args:
        engine: The model.
        series: In the data's units, each with N ≥ T.
        stride: Steps between windows; the model's own if left out.
        adapt: Rate at which the threshold follows each series; a fixed threshold if left out.
        quantile: Quantile of normal scores that is the threshold; the model's own if left out.
    """
    card, rule = engine.card, ThresholdRule(engine.card.calibration, adapt, quantile)
    gap = card.stride if stride is None else stride
    for stretch in stretches(engine, series, stride, rule):
        if stretch.is_first:
            points, found = PointStream(), EventStream(card.calibration, gap)
            waiting: list[tuple[int, Columns]] = []  # for the decision whether they are anomalous
            events: list[Event] = []
        events += found.add(stretch)
        waiting.append(_point_columns(card, points.add(stretch)))
        while waiting and waiting[0][0] + len(waiting[0][1]["score"]) <= found.decided:
            first, columns = waiting.pop(0)
            events = [event for event in events if event.end > first]
            columns["is_anomaly"] = steps_in_events(events, len(columns["score"]), first)
            yield _point_rows(stretch.series, first, columns)


def latent_records(
    engine: Engine, series: Sequence[Series], stride: int | None
) -> Iterator[Columns]:
    """One row per window: its position, and its latent."""
    rest = iter(series)
    for first, _, found in engine.scan_latents(series, stride):
        if first == 0:
            whole = next(rest)
        columns = {f"latent_{i}": values for i, values in enumerate(found.latent.T)}
        yield records.window_records(whole, found.starts + first, engine.card.window, columns)


def reconstruction_records(
    engine: Engine, series: Sequence[Series], stride: int | None
) -> Iterator[Columns]:
    """One row per time step: its reconstruction, the mean over the windows that cover it."""
    for stretch in stretches(engine, series, stride):
        if stretch.is_first:
            points = PointStream()
        settled = points.add(stretch)
        values = settled.analysis.reconstruction[settled.rows]
        columns = records.channel_columns(engine.card, values)
        yield _point_rows(stretch.series, settled.first, columns)


def event_records(
    engine: Engine,
    series: Sequence[Series],
    stride: int | None,
    adapt: float | None = None,
    gap: int | None = None,
    quantile: float | None = None,
) -> Iterator[Columns]:
    """One row per event: its position, its severity, and its most anomalous channel.

    Args:
        engine: The model.
        series: In the data's units, each with N ≥ T.
        stride: Steps between windows; the model's own if left out.
        adapt: Rate at which the threshold follows each series; a fixed threshold if left out.
        gap: Flagged windows with at most this many steps between them belong to one event; the
            stride if left out.
        quantile: Quantile of normal scores that is the threshold; the model's own if left out.
    """
    card, rule = engine.card, ThresholdRule(engine.card.calibration, adapt, quantile)
    stride = card.stride if stride is None else stride
    gap = stride if gap is None else gap
    for stretch in stretches(engine, series, stride, rule):
        if stretch.is_first:
            found = EventStream(card.calibration, gap)
        events = found.add(stretch)
        if events or stretch.is_last:  # so that there are columns without any row, too
            yield records.event_records(stretch.series, events)


def sample_records(card: ModelSpec, samples: NDArray[np.float64]) -> Iterator[Columns]:
    """One row per time step of windows (S, T, C) that a model has drawn."""
    yield records.sample_records(card, samples)


def _window_rows(stretch: Stretch, columns: Mapping[str, NDArray[Any]]) -> Columns:
    analysis = stretch.analysis
    return records.window_records(stretch.series, analysis.starts, analysis.card.window, columns)


def _point_columns(card: Card, settled: SettledPoints) -> tuple[int, Columns]:
    """The first of some points, and their results but for what events say of them."""
    analysis, rows = settled.analysis, settled.rows
    scores, thresholds = analysis.step_scores(settled.thresholds)
    columns: Columns = {
        "score": analysis.point_scores[rows],
        "window_score": scores[rows],
        "threshold": thresholds[rows],
        "is_anomaly": None,
    }
    for name, values in card.band(analysis.reconstruction[rows]).items():
        columns |= records.channel_columns(card, values, f"_{name}")
    return settled.first, columns


def _point_rows(series: Series, first: int, columns: Columns) -> Columns:
    """Rows of points of a series from a first one on."""
    steps = len(next(iter(columns.values())))
    rows = records.point_records(series.part(first, first + steps), columns)
    rows["step"] += first
    return rows
