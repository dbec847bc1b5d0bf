"""The beginning of a text."""

import io

import pytest

from rvae.config import FileFormat
from rvae.data.file_format import find_layout, records
from rvae.errors import FieldError


@pytest.mark.parametrize(
    ("text", "separator", "names"),
    [
        ("a,b\n1,2\n", ",", "ab"),
        ("a;b\n1,5;2,5\n", ";", "ab"),
        ("1.5;2,5\n1,7;3,5\n", ";", ("column_0", "column_1")),
        ("a\tb\n1,5\t2,5\n", "tab", "ab"),
        ("a|b\n1|2\n", "|", "ab"),
        ("a b\n1 2\n", "space", "ab"),
        ("a    b\n 1   2\n10  20\n", "space", "ab"),
        ("time,b\n2026-01-31 12:00,2\n", ",", ("time", "b")),
        ("time\n2026-01-31 12:00\n", "", ("time",)),
        ("a\n1,5\n2,5\n", "", "a"),
        ("a b\nx\ny\n", "", ("a b",)),
        ('"a;x",b\n"1;2",2\n', ",", ("a;x", "b")),
        ("a,b\n1,2\n3\n4\n", ",", "ab"),
        ("sep=;\na;b\n1;2\n", ";", "ab"),
        ("# made by x\n\na;b\n1;2\n", ";", "ab"),
        ("# a b\n1.0 2.0\n", "space", "ab"),
        ("# made by x\n1.5,2.5\n", ",", ("column_0", "column_1")),
        ("id,7,12\nx,1,2\n", ",", None),
        ("time,7,12\n2026-01-01,1,2\n", ",", ("time", "7", "12")),
        ("on,1.5\noff,2.5\n", ",", None),
        ("0,1,2\n5.5,6.5,7.5\n", ",", None),
        ("0\n1.5\n", "", None),
        ("0\n1\n", "", ("column_0",)),
        ("3,1,2\n5.5,6.5,7.5\n", ",", ("column_0", "column_1", "column_2")),
        (",0,1\n0,1.5,2.5\n", ",", None),
        ("16,76\n3,0\n", ",", ("column_0", "column_1")),
        ("16,0.5\n3,0.25\n", ",", ("column_0", "column_1")),
        ("16,76\n3.5,06\n", ",", ("column_0", "column_1")),
    ],
)
def test_separator_and_names_are_found(
    text: str, separator: str, names: str | tuple[str, ...] | None
) -> None:
    if names is None:
        with pytest.raises(FieldError) as caught:
            find_layout(text.encode(), FileFormat(), "t.csv")
        assert caught.value.field == "reader.format.header"
    else:
        found = find_layout(text.encode(), FileFormat(), "t.csv")
        assert (found.separator, found.names) == (separator, tuple(names))


@pytest.mark.parametrize("text", ["16,76\n-3,06\n", "2 345,063.5\n1,2\n"])
def test_decimals_that_may_be_a_second_column_are_refused(text: str) -> None:
    with pytest.raises(FieldError, match="may be one number or two") as caught:
        find_layout(text.encode(), FileFormat(), "t.csv")
    assert caught.value.field == "reader.format.separator"


def test_what_is_stated_is_not_questioned() -> None:
    text = b"title\n0,1\nV,A\n1,5\n"
    for separator in (",", ""):
        zeros = find_layout(b"16,76\n-3,06\n", FileFormat(separator=separator), "t.csv")
        assert zeros.separator == separator
    stated = FileFormat(separator=",", header=True, units=True, skip=1)
    found = find_layout(text, stated, "t.csv")
    assert found.names == ("0", "1") and found.rows == (("1", "5"),)
    assert text[found.start :] == b"1,5\n" and found.line == 4
    below = find_layout(text, FileFormat(separator=",", header=False, skip=3), "t.csv")
    assert below.names == ("column_0", "column_1") and below.line == 4


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("a,b\nV,A\n1,2\n", True),
        ("a,b,c\nV,A,x\n1,2,y\n", True),
        ("a,b,c\n1,2,x\n1,2,y\n", False),
        ("a,b\nV,\n1,2\n", False),
        ("a\nx\ny\n", False),
    ],
)
def test_a_row_of_units_is_asked_about(text: str, units: bool) -> None:
    if units:
        with pytest.raises(FieldError) as caught:
            find_layout(text.encode(), FileFormat(), "t.csv")
        assert caught.value.field == "reader.format.units"
        assert find_layout(text.encode(), FileFormat(units=False), "t.csv").line == 2
    else:
        assert find_layout(text.encode(), FileFormat(), "t.csv").line == 2


def test_only_the_beginning_is_looked_at() -> None:
    text = b"a,b\n" + b"1,2\n" * 100_000
    assert len(find_layout(text, FileFormat(), "t.csv").rows) < 20_000


def test_lines_are_counted_as_editors_do() -> None:
    text = 'a,b\r\n1,2\r\n\r\n"x\ny",3\r\n4,5'
    found = list(records(io.StringIO(text, newline=""), ","))
    assert [line for line, _ in found] == [1, 2, 5, 6]
    assert [cells for _, cells in found][2] == ["x\ny", "3"]
    column = list(records(io.StringIO("a\n\n2\n"), ""))
    assert column == [(1, ["a"]), (2, [""]), (3, ["2"])]
