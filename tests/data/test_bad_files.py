"""Files that cannot be read, and what is said of each.

`docs/bad-files.md` shows the same. To write it again, from the root of the repository:

    PYTHONPATH=. python -c "from tests.data.test_bad_files import page; print(page(), end='')" \
        > docs/bad-files.md
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rvae.config import FileFormat, ReaderConfig
from rvae.data.readers import read
from rvae.errors import FieldError
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "bad-files.md"
INTRODUCTION = """\
# Files that cannot be read

What `rvae` says of files that it refuses. Each line begins with the option, column or file that is
to be corrected. An option `reader.format.X` is `--reader.format.X` of `rvae fit`, and `--format.X`
of `rvae score` and `rvae evaluate`; [data](data.md#formats-of-text-files) has all of them.

| the file | what is said |
| --- | --- |
"""


@dataclass(frozen=True)
class BadFile:
    """A file that is refused.

    Attributes:
        problem: What is wrong, in a few words.
        content: The file.
        field: The option, column or file in the error.
        message: What the error says about it.
        options: Options of the reader.
        suffix: Of the name of the file, which is "data".
    """

    problem: str
    content: bytes
    field: str
    message: str
    options: Mapping[str, Any] = field(default_factory=dict)
    suffix: str = ".csv"


HOURS = b"".join(b"2026-01-01T%02d:00:00,%d.5\n" % (hour, hour) for hour in range(20))
GOOD = b"time,heat\n" + HOURS
TIME = {"time": "time"}
TITLE = b"Logger 7\n\ntime;heat\n1;2,5\n2;3,5\n"

BAD_FILES = [
    BadFile("is empty", b"", "data", "data.csv is empty"),
    BadFile("holds a header only", b"time,heat\n", "data", "data.csv holds no rows"),
    BadFile("holds comments only", b"# made by a logger\n", "data", "data.csv holds no rows"),
    BadFile(
        "a row is too short",
        GOOD + b"3\n",
        "data",
        "line 22 of data.csv has 1 cell, but there are names for 2 with the separator ','",
    ),
    BadFile(
        "a row is too long",
        GOOD + b"1,2,3\n",
        "data",
        "line 22 of data.csv has 3 cells, but there are names for 2 with the separator ','",
    ),
    BadFile(
        "has decimal commas between commas",
        b"time,heat\n1,1,5\n2,2,5\n",
        "data",
        "line 2 of data.csv has 3 cells, but there are names for 2 with the separator ','",
    ),
    BadFile(
        "a quote is not closed",
        b'a,b\n1,2\n"3,4\n5,6\n',
        "data",
        "line 4 of data.csv has 1 cell, but there are names for 2 with the separator ','",
    ),
    BadFile(
        "names a column twice",
        b"a,b,a\n1,2,3\n",
        "data",
        "columns 1 and 3 of data.csv are both called 'a'",
    ),
    BadFile(
        "two columns have no name",
        b"a,,\n1,2,3\n",
        "data",
        "columns 2 and 3 of data.csv have no name",
    ),
    BadFile(
        "a column of numbers has no name",
        b",a\n0,1\n1,2\n",
        "reader.columns",
        "a numeric column of data.csv has no name: name the columns that are channels, or "
        """leave it out with --reader.ignore \'[""]\'""",
    ),
    BadFile(
        "a cell is no number",
        b"heat,speed\n1.5,2\n,3\nERROR,4\n2.5,5\n",
        "heat",
        "'ERROR' in line 4 is no number, as others are: correct it, leave it empty, or "
        "name the columns that are channels with reader.columns",
    ),
    BadFile(
        "a cell of a named column is no number",
        b"heat,speed\n1.5,2\n,3\nERROR,4\n2.5,5\n",
        "heat",
        "'ERROR' in line 4 is no number, as others are: correct it, leave it empty, or "
        "name the columns that are channels with reader.columns",
        {"columns": ("heat",)},
    ),
    BadFile("a cell is infinite", b"heat\n1.5\ninf\n", "heat", "inf in line 3 is infinite"),
    BadFile(
        "a column holds nothing",
        b"heat,speed\n,2\n,3\n",
        "heat",
        "holds nothing: name the columns that are channels",
    ),
    BadFile(
        "has words only",
        b"note\nhot\nwet\n",
        "data",
        "data.csv has no numeric column, and reader.categorical names none",
    ),
    BadFile(
        "has units below the names",
        b"heat,speed\nC,1/min\n1.5,2\n2.5,5\n",
        "reader.format.units",
        "'C, 1/min' below the names in data.csv may be units: say true or false",
    ),
    BadFile(
        "has lines above the table",
        TITLE,
        "reader.format.skip",
        "line 1 of data.csv has 1 cell, but most have 2 with the separator ';': how many "
        "lines above the table are to be skipped?",
    ),
    BadFile(
        "its names may be values",
        b"0,1,2\n1.5,2.5,3.5\n",
        "reader.format.header",
        "'0, 1, 2' in the first row of data.csv may be names or values: say true or false",
    ),
    BadFile(
        "its first row may hold names or values",
        b"site,2024,2025\nx,1,2\ny,2,3\n",
        "reader.format.header",
        "'site, 2024, 2025' in the first row of data.csv may be names or values: say true or false",
    ),
    BadFile(
        "a comma may be a decimal one",
        b"heat;speed\n1,234;2\n3,456;1\n",
        "reader.format.decimal",
        "'1,234' may be a number with decimals or one of thousands: say either "
        "format.decimal ',' or format.thousands ','",
    ),
    BadFile(
        "a quoted comma may be a decimal one",
        b'heat,speed\n"1,234",2\n',
        "reader.format.decimal",
        "'1,234' may be a number with decimals or one of thousands: say either "
        "format.decimal ',' or format.thousands ','",
    ),
    BadFile(
        "a point may separate thousands",
        b"heat;speed\n1.234;2\n3.456;1\n",
        "reader.format.decimal",
        "'1.234' may be a number with decimals or one of thousands: say either "
        "format.decimal '.' or format.thousands '.'",
    ),
    BadFile(
        "a point may separate thousands of a count",
        b"count\n999\n1.234\n",
        "reader.format.decimal",
        "'1.234' may be a number with decimals or one of thousands: say either "
        "format.decimal '.' or format.thousands '.'",
    ),
    BadFile(
        "has both decimal marks",
        b"heat;speed\n0,5;1.5\n",
        "reader.format.decimal",
        "'0,5' and '1.5' do not agree on the decimal mark: correct one of them, or say '.' or ','",
    ),
    BadFile(
        "an unclear comma comes late",
        b"heat;speed\n" + b"1;2\n" * 20_000 + b"1,234;2\n",
        "reader.format.decimal",
        "'1,234' may be a number with decimals or one of thousands: say either "
        "format.decimal ',' or format.thousands ','",
    ),
    BadFile(
        "the separator is unclear",
        b"0,5 800\n1,5 900\n",
        "reader.format.separator",
        "may be ',' or 'space' in data.csv: say which",
    ),
    BadFile(
        "is not in the encoding that is stated",
        b"h\xf6he\n1.5\n",
        "reader.format.encoding",
        "data.csv is not in utf-8: 'utf-8' codec can't decode byte 0xf6 in position 1: "
        "invalid start byte",
        {"format": FileFormat(encoding="utf-8")},
    ),
    BadFile(
        "one byte is not UTF-8",
        "höhe\n1.5\n".encode() + b"\xe4\n",
        "reader.format.encoding",
        "data.csv is UTF-8 but for the byte 0xe4 in line 3: correct it, or name the encoding",
    ),
    BadFile(
        "holds a zero byte",
        GOOD + b"\0",
        "data",
        "data.csv is no text: it holds a zero byte in line 22",
    ),
    BadFile(
        "is binary",
        bytes(range(1, 256)) * 9,
        "data",
        "data.csv is no text: it holds control characters",
    ),
    BadFile("is Parquet", b"PAR1\x15\x04", "data", "data.csv is a Parquet file: name it .parquet"),
    BadFile(
        "is a zip archive",
        b"PK\x03\x04",
        "data",
        "data.csv is a zip archive: if it is an Excel file, name it .xlsx",
    ),
    BadFile(
        "is an old Excel file",
        b"\xd0\xcf\x11\xe0",
        "data",
        "data.csv is an old Excel file: save it as .xlsx",
    ),
    BadFile(
        "ends in the middle of a compressed file",
        gzip.compress(GOOD * 50, mtime=0)[:60],
        "data",
        "data.csv.gz ends too early: it is only a part of a file",
        suffix=".csv.gz",
    ),
    BadFile(
        "is no compressed file but begins as one",
        b"\x1f\x8b" + b"xx" * 40,
        "data",
        "data.csv.gz is damaged: Unknown compression method",
        suffix=".csv.gz",
    ),
    BadFile(
        "a line has 10 MB",
        b"a,b\n1,2\n" + b"1" * 10_000_000 + b",2\n",
        "data",
        "line 3 of data.csv is longer than 1048576 bytes",
    ),
    BadFile(
        "a later line has 10 MB",
        b"a,b\n" + b"1,2\n" * 20_000 + b"1" * 10_000_000 + b",2\n",
        "data",
        "line 20002 of data.csv is longer than 1048576 bytes",
    ),
    BadFile(
        "is no Excel file",
        b"no",
        "data",
        "data.xlsx is no Excel file: invalid Zip archive: Could not find EOCD",
        suffix=".xlsx",
    ),
    BadFile(
        "has an unknown suffix",
        b"{}",
        "data",
        "cannot read data.json: expected .csv, .csv.gz, .xlsx, .parquet, .npy, .npz, "
        ".tsv, .txt, .ts",
        suffix=".json",
    ),
    BadFile(
        "a date is none",
        b"time,heat\n31.01.2026,1\n30.02.2026,2\n",
        "time",
        "'30.02.2026' in line 3 is no date",
        TIME,
    ),
    BadFile(
        "a time is a word",
        b"time,heat\n2026-01-31,1\nsoon,2\n",
        "time",
        "'soon' in line 3 is no time: expected times such as 2026-01-31T12:00:00, or "
        "seconds since 1970, of the years 1971 to 2199",
        TIME,
    ),
    BadFile(
        "a time is missing",
        b"time,heat\n2026-01-31,1\n,2\n",
        "reader.time",
        "'' in line 3 is no time: 'time' must hold one everywhere",
        TIME,
    ),
    BadFile(
        "day and month cannot be told apart",
        b"time,heat\n01/02/2026 12:00,1\n02/02/2026 12:00,2\n",
        "time",
        "'01/02/2026 12:00' in line 2 may have the day or the month first, as all "
        "others: say format.time_format '%d/%m/%Y %H:%M' or '%m/%d/%Y %H:%M'",
        TIME,
    ),
    BadFile(
        "day and month change places",
        b"time,heat\n13/02/2026,1\n02/14/2026,2\n",
        "time",
        "'02/14/2026' in line 3 is no date with day and month in the order of '13/02/2026'",
        TIME,
    ),
    BadFile(
        "years have two digits",
        b"time,heat\n31.01.26,1\n",
        "time",
        "'31.01.26' in line 2 has no year of four digits: say how times are written with "
        "format.time_format",
        TIME,
    ),
    BadFile(
        "a time is not written as stated",
        b"time,heat\n31.01.26,1\n1.2.2026,2\n",
        "time",
        "'1.2.2026' in line 3 is not written as '%d.%m.%y'",
        {**TIME, "format": FileFormat(time_format="%d.%m.%y")},
    ),
    BadFile(
        "counts steps instead of times",
        b"time,heat\n1,1\n2,2\n",
        "time",
        "1 in line 2 is no time: expected times such as 2026-01-31T12:00:00, or seconds "
        "since 1970, of the years 1971 to 2199",
        TIME,
    ),
    BadFile(
        "times change their unit",
        b"time,heat\n1767225600,1\n1767225660000,2\n",
        "time",
        "1767225660000 in line 3 is no time in seconds since 1970, as the first one is",
        TIME,
    ),
    BadFile(
        "one time has no zone",
        b"time,heat\n2026-01-01T00:00:00Z,1\n2026-01-01T01:00:00,2\n",
        "time",
        "'2026-01-01T01:00:00' in line 3 has not the zone of the first one",
        TIME,
    ),
    BadFile(
        "times go back",
        b"time,heat\n2026-01-02,1\n2026-01-01,2\n",
        "reader.time",
        "does not rise after step 0 of series data"
        ": 2026-01-02T00:00:00.000000 is followed by 2026-01-01T00:00:00.000000 in row 1",
        TIME,
    ),
    BadFile(
        "a label is missing",
        b"heat,label\n1.5,0\n2.5,\n",
        "reader.label",
        "'' in line 3 is no label: 'label' must hold a number or truth value everywhere",
        {"label": "label"},
    ),
    BadFile(
        "a label is a word",
        b"heat,label\n1.5,0\n2.5,yes\n",
        "reader.label",
        "'yes' in line 3 is no label: 'label' must hold a number or truth value everywhere",
        {"label": "label"},
    ),
    BadFile(
        "has no such column",
        b"heat\n1.5\n",
        "reader.columns",
        "no column 'speed' in data.csv, which has heat",
        {"columns": ("speed",)},
    ),
    BadFile(
        "has no such column of times",
        b"heat\n1.5\n",
        "reader.time",
        "no column 'time' in data.csv, which has heat",
        TIME,
    ),
]


def page() -> str:
    """The page of the documentation."""
    rows = (
        f"| {bad.problem} | `{bad.field}: {bad.message}` |\n".replace("\\", "\\\\")
        for bad in BAD_FILES
    )
    return INTRODUCTION + "".join(rows)


@pytest.mark.parametrize("bad", BAD_FILES, ids=lambda bad: bad.problem)
def test_a_bad_file_is_refused_with_what_is_wrong_with_it(bad: BadFile, tmp_path: Path) -> None:
    path = tmp_path / f"data{bad.suffix}"
    path.write_bytes(bad.content)
    with pytest.raises(FieldError) as caught:
        read(path, ReaderConfig(**bad.options))
    assert (caught.value.field, caught.value.message) == (bad.field, bad.message)
    assert "\n" not in bad.message and len(bad.message) < 250


def test_the_page_says_the_same() -> None:
    assert PAGE.read_text() == page()
