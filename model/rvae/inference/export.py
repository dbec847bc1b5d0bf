"""Results → tables in files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyarrow import csv, parquet

from rvae.data.columns import table_of
from rvae.data.series import Series
from rvae.errors import require
from rvae.inference import records
from rvae.inference.analysis import Analysis
from rvae.inference.card import ModelSpec
from rvae.inference.engine import Engine
from rvae.inference.records import Columns
from rvae.scoring.events import steps_in_events
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
        for columns in pieces:
            table = table_of(columns)
            writer = writer or WRITERS[path.suffix](unfinished, table.schema)
            writer.write_table(table)
            written += len(table)
        if writer is not None:
            writer.close()
            unfinished.replace(path)  # Atomic: a reader sees the whole file or none.
    finally:
        unfinished.unlink(missing_ok=True)
    return written


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
    for first, stretch, analysis in engine.scan(series, stride):
        if first == 0:  # a new series, which may have several stretches
            thresholds = rule.begin_series()
        judged = rule.judged(analysis.score, thresholds(analysis.score))
        yield _window_rows(first, stretch, analysis, judged)


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
    for one in series:
        (analysis,) = engine.analyse([one], stride)
        of_windows = rule.thresholds(analysis.score)
        scores, thresholds = analysis.step_scores(of_windows)
        events = analysis.events(of_windows, card.calibration, gap)
        columns: Columns = {
            "score": analysis.point_scores,
            "window_score": scores,
            "threshold": thresholds,
            "is_anomaly": steps_in_events(events, len(one)),
        }
        for name, values in card.band(analysis.reconstruction).items():
            columns |= records.channel_columns(card, values, f"_{name}")
        yield records.point_records(one, columns)


def latent_records(
    engine: Engine, series: Sequence[Series], stride: int | None
) -> Iterator[Columns]:
    """One row per window: its position, and its latent."""
    for first, stretch, analysis in engine.scan(series, stride):
        columns = {f"latent_{i}": values for i, values in enumerate(analysis.latent.T)}
        yield _window_rows(first, stretch, analysis, columns)


def reconstruction_records(
    engine: Engine, series: Sequence[Series], stride: int | None
) -> Iterator[Columns]:
    """One row per time step: its reconstruction, the mean over the windows that cover it."""
    for one in series:
        (analysis,) = engine.analyse([one], stride)
        columns = records.channel_columns(engine.card, analysis.reconstruction)
        yield records.point_records(one, columns)


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
    for one in series:
        (analysis,) = engine.analyse([one], stride)
        events = analysis.events(rule.thresholds(analysis.score), card.calibration, gap)
        yield records.event_records(one, events)


def sample_records(card: ModelSpec, samples: NDArray[np.float64]) -> Iterator[Columns]:
    """One row per time step of windows (S, T, C) that a model has drawn."""
    yield records.sample_records(card, samples)


def _window_rows(
    first: int, stretch: Series, analysis: Analysis, columns: Mapping[str, NDArray[Any]]
) -> Columns:
    """Rows of the windows of a stretch that begins at a step of its series."""
    rows = records.window_records(stretch, analysis.starts, analysis.card.window, columns)
    rows["start"] += first
    rows["end"] += first
    return rows
