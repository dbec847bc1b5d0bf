"""A Parquet file, a piece at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

__all__ = ["parquet_batches"]


def parquet_batches(
    path: Path, columns: Sequence[str], rows: int = 1 << 14
) -> Iterator[pa.RecordBatch]:
    """Some columns of a file as batches of at most `rows` rows, in the order of the file.

    Memory does not grow with the file, nor with the row groups in it.
    """
    # By default, pyarrow reads the row groups into memory before the first batch.
    with parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 16) as file:
        for batch in file.iter_batches(rows, columns=list(columns)):
            yield batch.select(list(columns))
