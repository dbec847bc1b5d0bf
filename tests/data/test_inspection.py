"""What is in a file."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from rvae.config import ReaderConfig
from rvae.data.inspection import Times, inspect_file
from rvae.data.text_files import _standard_input
from rvae.errors import FieldError
from tests.support.excel import write as write_excel
from tests.support.waves import waves

START, MINUTE = np.datetime64("2026-01-01", "us"), np.timedelta64(1, "m")


def write(path: Path, minutes: Any, **columns: Any) -> Path:
    steps = np.asarray(minutes)
    heat = np.sin(steps / 5) + np.random.default_rng(0).normal(0, 0.1, len(steps))
    csv.write_csv(pa.table({"when": START + steps * MINUTE, "heat": heat, **columns}), path)
    return path


def test_rows_times_and_holes_are_told(tmp_path: Path) -> None:
    path = write(tmp_path / "m.csv", np.r_[0:400, 450:800, 803:900])
    found, dataset = inspect_file(path, ReaderConfig())
    assert (found.file, found.rows, found.series) == ("m.csv", 847, 1)
    assert found.format == "CSV (separator ',', decimal '.', encoding 'utf-8', header True)"
    assert found.times == Times(
        first="2026-01-01T00:00:00",
        last="2026-01-01T14:59:00",
        step="1min",
        steps=846,
        uneven=2,
        holes=2,
        longest_hole="51min",
        longest_after="2026-01-01T06:39:00",
    )
    assert found.reader == ReaderConfig(time="when")
    assert [len(s) for s in dataset.series] == [400, 350, 97]
    assert any("cut at holes" in note for note in found.notes)


@pytest.mark.parametrize(
    ("minutes", "every"),
    [
        (np.cumsum(np.tile([1, 2, 4, 7], 100)), "5min"),  # no usual step
        (np.arange(600) + np.arange(600) // 20 * 3, "1min"),  # too short between holes
        (np.arange(600) + np.arange(600) // 20 * 60, None),  # more holes than rows
    ],
)
def test_a_grid_is_proposed_where_windows_need_one(
    tmp_path: Path, minutes: Any, every: str | None
) -> None:
    path = write(tmp_path / "m.csv", minutes)
    found, dataset = inspect_file(path, ReaderConfig())
    assert found.reader.every == every
    assert (len(dataset.series) == 1) is (every is not None)
    assert inspect_file(path, ReaderConfig(time="when", holes="keep"))[0].reader.every is None


def test_rows_that_repeat_an_earlier_one_are_counted(tmp_path: Path) -> None:
    table = pa.table({"a": [1, 2, 1, 1, None, None], "b": ["x", "y", "x", "z", "x", "x"]})
    parquet.write_table(pa.concat_tables([table, table.slice(0, 1)]), tmp_path / "m.parquet")
    assert inspect_file(tmp_path / "m.parquet", ReaderConfig())[0].duplicate_rows == 3


def test_standard_input_is_looked_at_like_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = write(tmp_path / "m.csv", range(200)).read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    _standard_input.cache_clear()
    found, dataset = inspect_file(Path("-"), ReaderConfig())
    _standard_input.cache_clear()
    assert (found.file, found.rows, found.reader.time) == ("standard input", 200, "when")
    assert len(dataset.series[0]) == 200


def test_a_sheet_is_looked_at_like_a_file(tmp_path: Path) -> None:
    rows: list[list[str | float | None]] = [["mode", "heat"]]
    rows += [["on" if i % 3 else "off", i * i % 7] for i in range(50)]
    found, _ = inspect_file(write_excel(tmp_path / "m.xlsx", June=rows), ReaderConfig())
    assert (found.format, found.rows, found.reader.categorical) == ("Excel", 50, ("mode",))


@pytest.mark.parametrize("name", ["m.parquet", "m.npz", "m.csv.gz", "m.xlsx", "m.npy"])
def test_a_damaged_file_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x1f\x8b PAR1 PK\x03\x04 no such thing")
    with pytest.raises(FieldError, match=name) as caught:
        inspect_file(tmp_path / name, ReaderConfig())
    assert caught.value.field == "data"


def test_arrays_have_channels(tmp_path: Path) -> None:
    values = waves(20)
    values[0, :3] = np.nan
    np.savez(tmp_path / "m.npz", x=values, label=np.zeros(20, dtype=int), other=np.zeros(3))
    found, dataset = inspect_file(tmp_path / "m.npz", ReaderConfig())
    assert (found.reader.array, found.reader.label) == ("x", "label")
    assert [(c.name, c.missing) for c in found.columns] == [("channel_0", 3)]
    assert (found.series, len(dataset.series)) == (20, 20)
    assert found.times is None


def test_of_a_folder_the_first_file_says_what_columns_are(tmp_path: Path) -> None:
    for name in "ab":
        heat = np.random.default_rng(0).normal(size=50)
        when = START + np.arange(50) * MINUTE
        parquet.write_table(
            pa.table({"when": when, "heat": heat, "note": [f"{i}" for i in range(50)]}),
            tmp_path / f"{name}.parquet",
        )
    found, _ = inspect_file(tmp_path, ReaderConfig())
    assert found.format == "folder of 2 .parquet files"
    assert (found.rows, found.series) == (100, 2)
    assert found.reader.time == "when"
    assert found.notes


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match="no such file"):
        inspect_file(tmp_path / "none.csv", ReaderConfig())
    path = write(tmp_path / "m.csv", range(50))
    with pytest.raises(FieldError, match="did you mean 'when'"):
        inspect_file(path, ReaderConfig(time="wehn"))
