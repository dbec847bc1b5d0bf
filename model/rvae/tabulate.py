"""Results → tables in files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv, parquet

from rvae.artifact import Card
from rvae.data.series import Series
from rvae.engine import Engine
from rvae.errors import require

__all__ = ["drawn", "points", "windows", "write"]

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


def windows(engine: Engine, series: Sequence[Series], stride: int | None) -> Iterator[Columns]:
    """One row a window: where it is, its score, and what that means."""
    calibration = engine.card.require_calibration()
    for first, stretch, analysis in engine.scan(series, stride):
        starts = analysis.starts + first
        times = {} if stretch.times is None else {"time": stretch.clock()[analysis.starts]}
        yield {
            "series": np.full(len(starts), stretch.name),
            **times,
            "start": starts,
            "end": starts + engine.card.window,
            "score": analysis.score,
            "tail_probability": calibration.tail_probability(analysis.score),
            "is_anomaly": analysis.score > calibration.threshold(),
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


def drawn(card: Card, samples: NDArray[np.float64]) -> Iterator[Columns]:
    """One row a time step of windows (S, T, C) that a model has drawn."""
    for number, sample in enumerate(samples):
        channels: dict[str, Any] = {}
        for name, column in zip(card.channels, sample.T, strict=True):
            known = card.vocabulary.categories.get(name)
            channels[name] = column if known is None else [known[int(code) - 1] for code in column]
        steps = np.arange(len(sample))
        yield {"series": np.full(len(steps), str(number)), "step": steps, **channels}
