"""Text files as tables."""

import gzip
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rvae.config import FileFormat, ReaderConfig
from rvae.data.csv_files import open_csv
from rvae.data.readers import read
from rvae.errors import FieldError

MARKS = {"tab": "\t", "space": " "}
THOUSANDS = ("", ".", ",", " ", "'", "\u202f")


@dataclass(frozen=True)
class Written:
    """Numbers (N, C) with some digits after the point, and how they are written."""

    numbers: list[list[int | None]]
    digits: list[int]
    format: FileFormat
    newline: str
    compressed: bool

    @property
    def values(self) -> NDArray[np.float64]:
        filled = [[np.nan if n is None else float(n) for n in row] for row in self.numbers]
        return np.array(filled) / 10.0 ** np.array(self.digits)

    def text(self) -> str:
        rows = [
            [self.cell(n, d) for n, d in zip(row, self.digits, strict=True)] for row in self.numbers
        ]
        if self.format.header:
            rows.insert(0, [f"größe {i}"[: 6 + i] + str(i) for i in range(len(self.digits))])
        mark = MARKS.get(self.format.separator or "", self.format.separator or "")
        lines = (
            mark.join(f'"{cell}"' if mark and mark in cell else cell for cell in row)
            for row in rows
        )
        return "".join(line + self.newline for line in lines)

    def cell(self, number: int | None, digits: int) -> str:
        if number is None:
            return ""
        plain = f"{number / 10**digits:,.{digits}f}"
        marks = {",": self.format.thousands or "", ".": self.format.decimal or "."}
        return "".join(marks.get(mark, mark) for mark in plain)

    def content(self) -> bytes:
        content = self.text().encode(self.format.encoding or "utf-8")
        return gzip.compress(content) if self.compressed else content


@st.composite
def written(draw: st.DrawFn) -> Written:
    width = draw(st.integers(1, 4))
    separator = draw(st.sampled_from([",", ";", "tab", "|", "space"])) if width > 1 else ""
    decimal: Literal[".", ","] = draw(st.sampled_from([".", ","]))
    # Between columns and thousands, the same space would be too much to ask.
    marks = [m for m in THOUSANDS if m != decimal and (m, separator) != (" ", "space")]
    digits = draw(st.lists(st.integers(0, 4), min_size=width, max_size=width))
    numbers = st.integers(-(10**8), 10**8)
    # Several spaces separate as one does, so that no cell can be empty.
    cell = numbers if separator == "space" else st.none() | numbers
    cells = st.lists(cell, min_size=width, max_size=width)
    whole = st.lists(numbers, min_size=width, max_size=width)
    first, last = draw(whole), draw(whole)
    return Written(
        [[*first], *draw(st.lists(cells, max_size=6)), [*last]],
        digits,
        FileFormat(
            separator=separator,
            decimal=decimal,
            thousands=draw(st.sampled_from(marks)),
            encoding=draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])),
            # Without a name above it, 1,5 would be two columns, and so would 1,5 800.
            header=True if separator in ("", "space") else draw(st.booleans()),
        ),
        draw(st.sampled_from(["\n", "\r\n"])),
        draw(st.booleans()),
    )


def values_of(content: bytes, stated: FileFormat) -> NDArray[np.float64]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(content)
        (series,) = read(path, ReaderConfig(format=stated)).series
        return np.asarray(series.values)


def encodable(file: Written) -> Written:
    """The narrow space is not in every encoding."""
    if file.format.thousands == "\u202f" and file.format.encoding == "cp1252":
        return replace(file, format=replace(file.format, encoding="utf-8"))
    return file


@settings(max_examples=40, deadline=None)
@given(written())
def test_a_file_of_any_known_format_is_read_as_it_was_written(file: Written) -> None:
    file = encodable(file)
    found = values_of(file.content(), file.format)
    np.testing.assert_allclose(found, file.values, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(written())
def test_the_format_of_a_file_is_found(file: Written) -> None:
    first = [5, *file.numbers[0][1:]]
    digits = [1, *file.digits[1:]]  # 0.5 tells what the marks are
    file = encodable(replace(file, numbers=[first, *file.numbers[1:]], digits=digits))
    found = values_of(file.content(), FileFormat())
    np.testing.assert_allclose(found, file.values, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(written())
def test_a_file_whose_format_is_unclear_is_refused_and_not_misread(file: Written) -> None:
    # Points before three digits are decimal ones, except where decimals tend to have a comma.
    assume(file.format.thousands != "." or file.format.separator == ";")
    file = encodable(file)
    try:
        found = values_of(file.content(), FileFormat())
    except FieldError as error:
        assert error.field in ("reader.format.decimal", "reader.format.header")
    else:
        np.testing.assert_allclose(found, file.values, rtol=1e-12)


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., list[dict[str, object]]]:
    """The rows of a text."""

    def open_text(text: str) -> list[dict[str, object]]:
        path = tmp_path / "t.csv"
        path.write_text(text, newline="")
        return open_csv(path, ReaderConfig()).table.to_pylist()

    return open_text


def test_an_empty_line_is_a_missing_value_of_a_single_column(
    opened: Callable[..., list[dict[str, object]]],
) -> None:
    assert opened("a\n1\n\n2\n\n\n") == [{"a": 1}, {"a": None}, {"a": 2}]
    assert opened("a,b\n1,2\n\n3,4\n") == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


def test_a_separator_at_the_end_of_each_line_makes_no_column(
    opened: Callable[..., list[dict[str, object]]],
) -> None:
    assert opened("a;b;\n1;2;\n") == [{"a": 1, "b": 2}]
    assert opened("a;b;\n1;2;3\n") == [{"a": 1, "b": 2, "": 3}]


def test_what_the_beginning_does_not_tell_is_found_further_down(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    beginning = "a;b\n" + "1;on\n" * 20_000
    path.write_text(beginning + "2,5;on\n")
    found = open_csv(path, ReaderConfig())
    assert found.format.decimal == "," and found.table["a"][-1].as_py() == 2.5
    for ending in ("2,500;on\n", "2.500;on\n"):
        path.write_text(beginning + ending)
        with pytest.raises(FieldError, match=f"'{ending[:5]}' may be"):
            open_csv(path, ReaderConfig())


def test_a_whole_number_far_down_makes_a_point_before_three_digits_unclear(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    beginning = "a\n" + "1.234\n" * 20_000
    path.write_text(beginning)
    assert open_csv(path, ReaderConfig()).table["a"][0].as_py() == 1.234
    path.write_text(beginning + "999\n")
    with pytest.raises(FieldError, match=r"'1\.234' may be"):
        open_csv(path, ReaderConfig())


def test_all_that_was_found_is_told_and_reads_the_file_again(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("höhe;on\n1.234,5;7\n".encode("cp1252"))
    found = open_csv(path, ReaderConfig())
    assert found.format == FileFormat(
        ";", ",", ".", "cp1252", header=True, units=False, skip=0, time_format=None, sheet=None
    )
    assert open_csv(path, ReaderConfig(format=found.format)).table.equals(found.table)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a,b\n1,2\nx,3\n", 3),
        ("# made by x\n\na,b\n1,2\nx,3\n", 5),
        ('a,b\n1,"p\nq"\n\nx,3\n', 5),
        ("a\n1\n\n2\nx\n", 5),
        ("a;b\r\n1,5;2\r\nx;3\r\n", 3),
    ],
)
def test_a_row_knows_its_line(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text, newline="")
    found = open_csv(path, ReaderConfig())
    row = found.table.column(0).to_pylist().index("x")
    assert found.line_of(row) == line


def test_a_time_with_a_format_of_its_own_is_not_taken_for_another(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("when,heat\n2026-02-01,1\n2026-03-01,2\n")
    config = ReaderConfig(time="when", format=FileFormat(time_format="%Y-%d-%m"))
    times = read(path, config).series[0].times
    assert [str(time)[:10] for time in np.asarray(times)] == ["2026-01-02", "2026-01-03"]
