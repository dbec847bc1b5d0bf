"""Results of a model in the form of the data that they are about."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from rvae.config import ReaderConfig
from rvae.data.columns import table_of
from rvae.data.frames import as_frame, frame_like
from rvae.data.series import Series
from rvae.inference.records import Columns

__all__ = ["results_by_row", "results_like"]

# Columns of results that say where in the data they are.
POSITION = ("series", "time", "step")


def results_like(
    pieces: Iterable[Columns], series: Sequence[Series], data: Any, reader: ReaderConfig
) -> Any:
    """Rows of results, as a frame of the same library as the data.

    Their series is named where the data names it, and where it was cut at holes: steps count from
    the beginning of each piece.

    Args:
        pieces: The rows, piece by piece.
        series: The series that they are about.
        data: The frame; a table of Arrow is returned for data of another kind.
        reader: Configuration of the reader of the data.
    """
    columns = _joined(pieces)
    frame = as_frame(data)
    if frame is None:
        return table_of(columns)
    if reader.series is None and all(one.origin is None for one in series):
        del columns["series"]
    names = {"series": reader.series, "time": reader.time}
    renamed = {names.get(name) or name: values for name, values in columns.items()}
    return frame_like(table_of(renamed), frame, keep_index=False)


def results_by_row(
    pieces: Iterable[Columns], series: Sequence[Series], data: Any, reader: ReaderConfig
) -> Any:
    """One row of results for each row of the data, in the same order.

    Without such a correspondence, as after resampling, there is one row for each time step.

    Args:
        pieces: One row per time step, piece by piece.
        series: The series of these steps.
        data: The data; a frame's index and its columns of series and times are kept.
        reader: Configuration of the reader of the data.
    """
    frame, origins = as_frame(data), [one.rows for one in series]
    rows = [one for one in origins if one is not None]
    if frame is None or len(rows) < len(origins):
        return results_like(pieces, series, data, reader)
    joined = _joined(pieces)
    results = table_of({name: joined[name] for name in joined if name not in POSITION})
    steps = np.full(len(frame), -1)
    steps[np.concatenate(rows)] = np.arange(len(results))
    results = results.take(pa.array(steps, mask=steps < 0))
    kept = [name for name in (reader.series, reader.time) if name in frame.columns]
    columns = {str(name): frame[name].to_arrow() for name in kept}
    columns |= {name: results[name] for name in results.column_names}
    return frame_like(pa.table(columns), frame, keep_index=True)


def _joined(pieces: Iterable[Columns]) -> Columns:
    parts = list(pieces)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
