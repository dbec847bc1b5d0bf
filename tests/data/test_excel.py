"""Excel files."""

import sys
from pathlib import Path

import numpy as np
import pytest

from rvae.config import FileFormat, ReaderConfig
from rvae.data.readers import read
from rvae.errors import FieldError
from tests.support.excel import DAY, Day, write


def test_a_sheet_is_a_table(tmp_path: Path) -> None:
    rows: list[list[str | float | None]] = [
        ["when", "heat", "mode"],
        [Day(DAY), 1.5, "on, hot"],
        [Day(DAY + 0.5), None, "off"],
        [Day(DAY + 1), 2, "off"],
    ]
    config = ReaderConfig(time="when", categorical=("mode",))
    dataset = read(write(tmp_path / "t.xlsx", Sheet1=rows, Sheet2=[]), config)
    (series,) = dataset.series
    assert series.name == "t" and dataset.channels == ("heat", "mode")
    np.testing.assert_array_equal(series.values, [[1.5, 2], [np.nan, 1], [2, 1]])
    assert [str(time)[:13] for time in np.asarray(series.times)] == [
        "2026-01-01T00",
        "2026-01-01T12",
        "2026-01-02T00",
    ]


def test_one_of_several_sheets_must_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "t.xlsx", June=[["a"], [1.5]], July=[["a"], [2.5]])
    with pytest.raises(FieldError, match="June, July") as caught:
        read(path, ReaderConfig())
    assert caught.value.field == "reader.format.sheet"
    with pytest.raises(FieldError, match="no sheet 'May'"):
        read(path, ReaderConfig(format=FileFormat(sheet="May")))
    (series,) = read(path, ReaderConfig(format=FileFormat(sheet="July"))).series
    np.testing.assert_array_equal(series.values, [[2.5]])


def test_an_empty_book_is_said(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match=r"t\.xlsx is empty"):
        read(write(tmp_path / "t.xlsx", June=[], July=[]), ReaderConfig())


def test_lines_are_rows_of_the_sheet(tmp_path: Path) -> None:
    rows: list[list[str | float | None]] = [
        [], [None, "a", "b"], [None, 1.5, 1], [None, None, 2], [None, "bad", 3], [None, 2.5, 4],
    ]  # fmt: skip
    with pytest.raises(FieldError, match="'bad' in line 5") as caught:
        read(write(tmp_path / "t.xlsx", June=rows), ReaderConfig(columns=("a",)))
    assert caught.value.field == "a"


def test_without_the_package_its_name_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(FieldError, match="rvae\\[excel\\]"):
        read(write(tmp_path / "t.xlsx", June=[["a"], [1.5]]), ReaderConfig())
