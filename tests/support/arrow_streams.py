"""Arrow streams, sound ones and such as only an attacker would make."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import ipc

__all__ = ["coded", "stream", "viewed"]


def stream(
    columns: pa.Table | Mapping[str, Any], rows_a_batch: int | None = None, **options: Any
) -> bytes:
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, table.schema, options=ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=rows_a_batch)
    return sink.getvalue().to_pybytes()


def coded(word: str, rows: int) -> pa.Array:
    indices = pa.array(np.zeros(rows, np.int8))
    return pa.DictionaryArray.from_arrays(indices, pa.array([word]))


def viewed(word: str, rows: int) -> pa.Array:
    """An array of views that all show the same long word."""
    _, view, words = pa.array([word], pa.string_view()).buffers()
    views = pa.py_buffer(view.to_pybytes()[:16] * rows)
    return pa.Array.from_buffers(pa.string_view(), rows, [None, views, words])
