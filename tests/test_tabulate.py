import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from rvae import tabulate
from rvae.data.series import Series
from rvae.errors import FieldError


def test_windows_of_slabs_are_those_of_the_series(engine, monkeypatch, tmp_path):
    monkeypatch.setattr("rvae.engine.NUMBERS_A_SLAB", 4 * 32)
    times = np.datetime64("2026-03-01", "us") + np.arange(90) * np.timedelta64(60, "s")
    series = Series(np.sin(np.arange(90.0))[:, None] + 20, "long", times=times)
    tabulate.write(tmp_path / "s.parquet", tabulate.windows(engine, [series, series], 7))
    table = parquet.read_table(tmp_path / "s.parquet")
    (analysis,) = engine.analyse([series], 7)
    starts = analysis.starts.tolist()
    assert starts[-1] == 58 and len(starts) > 8
    assert table["start"].to_pylist() == starts * 2
    assert table["end"].to_pylist() == [start + 32 for start in starts * 2]
    np.testing.assert_array_equal(table["time"].to_numpy()[: len(starts)], times[starts])
    np.testing.assert_allclose(table["score"].to_numpy(), np.tile(analysis.score, 2), rtol=1e-5)


def test_points_carry_their_times(engine, tmp_path):
    times = np.datetime64("2026-03-01", "us") + np.arange(40) * np.timedelta64(60, "s")
    series = Series(np.full((40, 1), 20.0), "s", times=times)
    assert tabulate.write(tmp_path / "p.csv", tabulate.points(engine, [series], None)) == 40
    table = csv.read_csv(tmp_path / "p.csv")
    assert table.column_names == ["series", "time", "step", "score"]
    assert table["time"][1].as_py().isoformat() == "2026-03-01T00:01:00"


def test_a_table_is_whole_or_not_there(tmp_path):
    def broken():
        yield {"a": [1, 2]}
        raise FieldError("a", "broke")

    with pytest.raises(FieldError):
        tabulate.write(tmp_path / "t.csv", broken())
    assert list(tmp_path.iterdir()) == []


def test_what_was_not_observed_is_null(tmp_path):
    assert tabulate.write(tmp_path / "t.parquet", [{"a": np.array([1.0, np.nan])}]) == 2
    assert parquet.read_table(tmp_path / "t.parquet") == pa.table({"a": [1.0, None]})
