"""Excel files."""

import sys
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pytest

from rvae.config import FileFormat, ReaderConfig
from rvae.data.readers import read
from rvae.errors import FieldError

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
# The second style of cells is a date with a time.
STYLES = (
    f'<styleSheet {MAIN}><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs>'
    "</styleSheet>"
)
DAY = 46023  # 2026-01-01


class Day(float):
    """A number that is shown as a date."""


def sheet(rows: list[list[str | float | None]]) -> str:
    def cell(value: str | float | None, place: str) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        return f'<c r="{place}" s="{int(isinstance(value, Day))}"><v>{float(value)}</v></c>'

    lines = (
        f'<row r="{i}">' + "".join(cell(v, f"{'ABCD'[j]}{i}") for j, v in enumerate(row)) + "</row>"
        for i, row in enumerate(rows, start=1)
    )
    return f"<worksheet {MAIN}><sheetData>{''.join(lines)}</sheetData></worksheet>"


def write(path: Path, **sheets: list[list[str | float | None]]) -> Path:
    """Write an .xlsx file as small as can be."""
    numbers = range(1, len(sheets) + 1)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
        'content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-'
        'package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships {PACKAGE}><Relationship Id="r1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{OFFICE}"><sheets>'
        + "".join(
            f'<sheet name="{name}" sheetId="{i}" r:id="r{i}"/>'
            for i, name in zip(numbers, sheets, strict=True)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f"<Relationships {PACKAGE}>"
        + "".join(
            f'<Relationship Id="r{i}" Type="{OFFICE}/worksheet" Target="worksheets/s{i}.xml"/>'
            for i in numbers
        )
        + f'<Relationship Id="r0" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": STYLES,
    }
    with zipfile.ZipFile(path, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)
        for i, rows in zip(numbers, sheets.values(), strict=True):
            file.writestr(f"xl/worksheets/s{i}.xml", sheet(rows))
    return path


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
