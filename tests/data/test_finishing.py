"""What is done with all series that were read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from rvae.config import ReaderConfig
from rvae.data.finishing import finish
from rvae.data.readers import read
from rvae.data.series import Dataset, Series
from rvae.errors import FieldError

START, MINUTE = np.datetime64("2026-01-01", "us"), np.timedelta64(1, "m")
CONFIG = ReaderConfig(time="when")
MINUTES = np.r_[0:40, 70:120]


def columns() -> dict[str, Any]:
    return {"when": START + MINUTES * MINUTE, "heat": np.sin(MINUTES / 5)}


def write(folder: Path, kind: str) -> Path:
    table = pa.table(columns())
    if kind == "csv":
        csv.write_csv(table, folder / "m.csv")
    elif kind == "npz":
        when, heat = table["when"].to_numpy(), table["heat"].to_numpy()
        np.savez(folder / "m.npz", x=heat, when=when)
    else:
        parquet.write_table(table, folder / "m.parquet")
    return folder if kind == "folder" else folder / f"m.{kind}"


@pytest.mark.parametrize("kind", ["csv", "parquet", "npz", "folder"])
def test_holes_cut_whatever_is_read(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind)
    name = "0" if kind == "npz" else "m"
    pieces = read(path, CONFIG).series
    assert [(s.name, len(s), s.origin) for s in pieces] == [
        (f"{name}/1", 40, name),
        (f"{name}/2", 50, name),
    ]
    np.testing.assert_array_equal(
        np.concatenate([s.clock() for s in pieces]), START + MINUTES * MINUTE
    )
    (kept,) = read(path, replace(CONFIG, holes="keep")).series
    assert (len(kept), kept.origin) == (90, None)
    (filled,) = read(path, replace(CONFIG, every="1min")).series
    assert (len(filled), filled.origin) == (120, None)
    assert np.isnan(np.asarray(filled.values)[40:70]).all()


def test_a_frame_is_cut_like_a_file() -> None:
    assert [len(s) for s in read(pa.table(columns()), CONFIG).series] == [40, 50]


@pytest.mark.parametrize(
    ("dataset", "field"),
    [
        (Dataset([], ("a",), ReaderConfig()), "data"),
        (Dataset([Series(np.zeros((0, 1)))], ("a",), ReaderConfig()), "data"),
        (Dataset([Series(np.array([[np.inf]]))], ("a",), ReaderConfig()), "a"),
        (Dataset([Series(np.zeros((3, 1)))], ("a",), ReaderConfig(normal=("1",))), "reader.normal"),
    ],
)
def test_what_no_model_can_use_is_refused(dataset: Dataset, field: str) -> None:
    with pytest.raises(FieldError) as caught:
        finish(dataset, "m.csv")
    assert caught.value.field == field
