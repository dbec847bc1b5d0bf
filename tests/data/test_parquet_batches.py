from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from rvae.data.parquet_batches import parquet_batches


def test_batches_are_the_columns_that_were_asked_for_in_the_order_of_the_file(
    tmp_path: Path,
) -> None:
    table = pa.table({name: np.arange(1000) * i for i, name in enumerate("abc")})
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=300)
    batches = list(parquet_batches(tmp_path / "t.parquet", ["c", "a"], rows=128))
    assert max(batch.num_rows for batch in batches) <= 128
    assert pa.Table.from_batches(batches) == table.select(["c", "a"])


@pytest.mark.parametrize("group", [1 << 16, 1 << 19])
def test_no_row_group_is_in_memory_as_a_whole(tmp_path: Path, group: int) -> None:
    values = np.random.default_rng(0).normal(size=1 << 19)  # 4 MiB
    table = pa.table(dict.fromkeys("abcdefgh", values))
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=group, use_dictionary=False)
    del table
    before = pa.total_allocated_bytes()
    most = max(
        pa.total_allocated_bytes() - before
        for _ in parquet_batches(tmp_path / "t.parquet", "abcdefgh", rows=1 << 12)
    )
    assert most < len(values) * 8 * 8 / 2
