"""Rows on a regular grid of times."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from rvae.config import ReaderConfig
from rvae.data.readers import read
from rvae.data.series import STEPS_PER_CHUNK
from rvae.data.stored import StoredArray
from rvae.errors import FieldError

CONFIG = ReaderConfig(
    columns=("heat",),
    categorical=("mode",),
    time="when",
    label="fault",
    classes="kind",
    every="1min",
)


def table(seconds: Any) -> dict[str, Any]:
    seconds = np.asarray(seconds)
    random = np.random.default_rng(0)
    heat = random.normal(size=len(seconds))
    heat[random.random(len(seconds)) < 0.2] = np.nan
    return {
        "when": np.datetime64("2026-01-01T10:00", "us") + seconds * np.timedelta64(1, "s"),
        "heat": heat,
        "mode": random.choice(["a", "b"], len(seconds)).astype(object),
        "fault": random.random(len(seconds)) < 0.1,
        "kind": random.choice(["x", "y"], len(seconds)).astype(object),
    }


def as_pandas(columns: dict[str, Any], every: str) -> pd.DataFrame:
    """The same by a second implementation."""
    frame = pd.DataFrame(columns).set_index("when").resample(every)
    return pd.DataFrame(
        {
            "heat": frame["heat"].mean(),
            "mode": frame["mode"].last(),
            "fault": frame["fault"].max() == 1,
            "kind": frame["kind"].last(),
        }
    )


SECONDS = np.unique(np.random.default_rng(1).integers(0, 4000, 300))


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("every", ["1min", "30s", "1h", "7min"])
def test_a_step_has_mean_last_and_any_of_its_rows(tmp_path: Path, kind: str, every: str) -> None:
    columns = table(SECONDS)
    parquet.write_table(pa.table(columns), tmp_path / "m.parquet")
    config = ReaderConfig(**(vars(CONFIG) | {"every": every}))
    (series,) = read(tmp_path / ("m.parquet" * (kind == "file")), config).series
    expected = as_pandas(columns, every)
    assert isinstance(series.values, StoredArray) is (kind == "folder")
    # The grid of pandas begins with the day; seven minutes after a multiple is another grid.
    if every == "7min":
        assert (series.clock().astype(int) % (7 * 60 * 10**6) == 0).all()
        return
    np.testing.assert_array_equal(series.clock(), expected.index.to_numpy().astype("M8[us]"))
    values = np.asarray(series.values)
    np.testing.assert_allclose(values[:, 0], expected["heat"])
    np.testing.assert_array_equal(values[:, 1], expected["mode"].map({"a": 1.0, "b": 2.0}))
    np.testing.assert_array_equal(series.anomalous, expected["fault"])
    codes = expected["kind"].map({"x": 0, "y": 1}).fillna(-1)
    np.testing.assert_array_equal(series.class_codes, codes)


def test_a_hole_is_filled_with_what_is_missing(tmp_path: Path) -> None:
    columns = table(60 * np.r_[0:5, 8:10])
    parquet.write_table(pa.table(columns), tmp_path / "m.parquet")
    (series,) = read(tmp_path / "m.parquet", CONFIG).series
    assert np.isnan(series.values[5:8]).all() and not series.labels[5:8].any()
    assert series.classes[5:8].tolist() == [-1] * 3
    np.testing.assert_array_equal(np.diff(series.clock()), np.timedelta64(1, "m"))
    # What was even before is as it was.
    kept = np.r_[0:5, 8:10]
    np.testing.assert_array_equal(series.values[kept, 0], columns["heat"])
    np.testing.assert_array_equal(series.times[kept], columns["when"])


def test_several_series_of_a_table_have_each_its_own_steps(tmp_path: Path) -> None:
    a, b = table(range(0, 600, 20)), table(range(1200, 1500, 10))
    columns = {name: np.concatenate([a[name], b[name]]) for name in a}
    columns["who"] = np.repeat(["a", "b"], 30)
    order = np.argsort(columns["when"].astype(int) % 977, kind="stable")
    order = order[np.argsort(columns["when"][order], kind="stable")]
    content = pa.table({name: values[order] for name, values in columns.items()})
    parquet.write_table(content, tmp_path / "m.parquet")
    config = ReaderConfig(**(vars(CONFIG) | {"series": "who"}))
    dataset = read(tmp_path / "m.parquet", config)
    assert [(s.name, len(s), s.rows) for s in dataset.series] == [("a", 10, None), ("b", 5, None)]
    np.testing.assert_allclose(dataset.series[0].values[:, 0], as_pandas(a, "1min")["heat"])


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_pieces_of_what_lies_on_disk_leave_no_trace(tmp_path: Path, shift: int) -> None:
    """Also where rows of one step are in two pieces."""
    count = STEPS_PER_CHUNK + 50
    seconds = np.arange(count) * 2
    seconds[STEPS_PER_CHUNK + shift :] += 300
    values = np.random.default_rng(0).normal(size=count)
    when = np.datetime64("2026-01-01T10:00:01", "us") + seconds * np.timedelta64(1, "s")
    parquet.write_table(pa.table({"when": when, "x": values}), tmp_path / "m.parquet")
    config = ReaderConfig(time="when", every="10s")
    (stored,) = read(tmp_path, config).series
    (alone,) = read(tmp_path / "m.parquet", config).series
    np.testing.assert_array_equal(np.asarray(stored.values), alone.values)
    np.testing.assert_array_equal(stored.clock(), alone.times)
    expected = pd.Series(values, when).resample("10s").mean()
    np.testing.assert_allclose(alone.values[:, 0], expected)


def test_a_grid_of_far_more_steps_than_rows_is_refused(tmp_path: Path) -> None:
    parquet.write_table(pa.table(table(np.arange(50) * 60)), tmp_path / "m.parquet")
    config = ReaderConfig(**(vars(CONFIG) | {"every": "1s"}))
    with pytest.raises(FieldError, match=r"2941 steps .*50 rows.*--reader\.every 1min") as caught:
        read(tmp_path / "m.parquet", config)
    assert caught.value.field == "reader.every"
    assert len(read(tmp_path / "m.parquet", CONFIG).series[0]) == 50


def test_a_grid_needs_times() -> None:
    with pytest.raises(FieldError) as caught:
        ReaderConfig(every="1min")
    assert caught.value.field == "reader.every"
