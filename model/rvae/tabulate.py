"""Results → tables in files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv, parquet

from rvae.adaptation import AdaptiveThreshold, adaptive_thresholds
from rvae.alarms import alarms_of
from rvae.artifact import Card
from rvae.data.series import Series
from rvae.engine import Engine
from rvae.errors import require

__all__ = ["drawn", "events", "points", "windows", "write"]

WRITERS = {".csv": csv.CSVWriter, ".parquet": parquet.ParquetWriter}

Columns = Mapping[str, Any]


def write(path: Path, pieces: Iterable[Columns]) -> int:
    """Write columns (N,), piece by piece, to a .csv or .parquet file.

    Returns:
        How many rows there are.

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
            # NaN marks what nothing was observed of; in a table that is null.
            table = pa.table({k: pa.array(v, from_pandas=True) for k, v in columns.items()})
            writer = writer or WRITERS[path.suffix](unfinished, table.schema)
            writer.write_table(table)
            written += len(table)
        if writer is not None:
            writer.close()
            unfinished.replace(path)  # A reader sees all of it or nothing.
    finally:
        unfinished.unlink(missing_ok=True)
    return written


def windows(
    engine: Engine, series: Sequence[Series], stride: int | None, adapt: float | None = None
) -> Iterator[Columns]:
    """One row a window: where it is, its score, and what that means.

    Args:
        stride: Steps between windows; the model's own if left out.
        adapt: Rate at which the threshold follows each series; one that stays if left out.
    """
    calibration = engine.card.require_calibration()
    threshold: float | NDArray[np.float64] = calibration.threshold()
    for first, stretch, analysis in engine.scan(series, stride):
        if adapt is not None:
            if first == 0:  # A series begins, however many stretches it has.
                following = AdaptiveThreshold(calibration, adapt)
            threshold = following.follow(analysis.score)
        starts = analysis.starts + first
        times = {} if stretch.times is None else {"time": stretch.clock()[analysis.starts]}
        yield {
            "series": np.full(len(starts), stretch.name),
            **times,
            "start": starts,
            "end": starts + engine.card.window,
            "score": analysis.score,
            "tail_probability": calibration.tail_probability(analysis.score),
            "severity": calibration.severity(analysis.score),
            **({} if adapt is None else {"threshold": threshold}),
            "is_anomaly": analysis.score > threshold,
        }


def points(engine: Engine, series: Sequence[Series], stride: int | None) -> Iterator[Columns]:
    """One row a time step: its score, the mean over the windows that cover it."""
    for one in series:
        (analysis,) = engine.analyse([one], stride)
        times = {} if one.times is None else {"time": one.clock()}
        yield {
            "series": np.full(len(one), one.name),
            **times,
            "step": np.arange(len(one)),
            "score": analysis.point_scores,
        }


def events(
    engine: Engine,
    series: Sequence[Series],
    stride: int | None,
    adapt: float | None = None,
    gap: int | None = None,
) -> Iterator[Columns]:
    """One row an event: where it is, how severe, and the channel that tells the most of it.

    Args:
        stride: Steps between windows; the model's own if left out.
        adapt: Rate at which the threshold follows each series; one that stays if left out.
        gap: Most steps between events that are one; the stride if left out.
    """
    card, calibration = engine.card, engine.card.require_calibration()
    stride = card.stride if stride is None else stride
    gap = stride if gap is None else gap
    threshold: float | NDArray[np.float64] = calibration.threshold()
    for one in series:
        (analysis,) = engine.analyse([one], stride)
        if adapt is not None:
            threshold = adaptive_thresholds(calibration, analysis.score, adapt)
        found = alarms_of(analysis, threshold, calibration, card.channels, gap)
        starts = np.array([alarm.start for alarm in found], dtype=np.int64)
        ends = np.array([alarm.end for alarm in found], dtype=np.int64)
        peaks = np.array([alarm.peak for alarm in found], dtype=np.int64)
        times = {} if one.times is None else {"time": one.clock()[starts]}
        # Of an event in which nothing was observed no channel tells.
        leading = [alarm.channels[0] if alarm.channels else (None, np.nan) for alarm in found]
        yield {
            "series": np.full(len(found), one.name),
            **times,
            "start": starts,
            "end": ends,
            "peak": peaks,
            "score": np.array([alarm.score for alarm in found], dtype=np.float64),
            "severity": np.array([alarm.severity for alarm in found], dtype=np.float64),
            "channel": pa.array([name for name, _ in leading], pa.string()),
            "channel_score": np.array([score for _, score in leading], dtype=np.float64),
        }


def drawn(card: Card, samples: NDArray[np.float64]) -> Iterator[Columns]:
    """One row a time step of windows (S, T, C) that a model has drawn."""
    for number, sample in enumerate(samples):
        channels: dict[str, Any] = {}
        for name, column in zip(card.channels, sample.T, strict=True):
            known = card.vocabulary.categories.get(name)
            channels[name] = column if known is None else [known[int(code) - 1] for code in column]
        steps = np.arange(len(sample))
        yield {"series": np.full(len(steps), str(number)), "step": steps, **channels}
