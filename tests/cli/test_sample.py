"""The command `rvae sample`."""

from pathlib import Path

import numpy as np
import pyarrow.csv
import pytest
from pyarrow import parquet

from rvae.inference.engine import Engine
from tests.support.command_line import rvae


@pytest.mark.parametrize("name", ["drawn.csv", "drawn.parquet", "drawn.npy"])
def test_sample_writes_windows(checkpoint: Path, engine: Engine, tmp_path: Path, name: str) -> None:
    done = rvae("sample", checkpoint, name, "--count", 3, "--seed", 5, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"Wrote 3 windows to {name}\n"), done.stderr
    if name.endswith("npy"):
        drawn = np.load(tmp_path / name)
    else:
        read = pyarrow.csv.read_csv if name.endswith("csv") else parquet.read_table
        table = read(tmp_path / name)
        assert table.column_names == ["series", "step", "height"]
        assert table["step"].to_pylist() == [*range(32)] * 3
        drawn = table["height"].to_numpy().reshape(3, 32, 1)
    np.testing.assert_allclose(drawn, engine.sample(3, seed=5))
