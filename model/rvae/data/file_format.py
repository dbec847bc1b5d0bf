"""Beginning of a text file → how it is written."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from rvae.config import FileFormat
from rvae.data.number_marks import MISSING
from rvae.errors import FieldError, require

__all__ = ["MAX_LINE", "Layout", "find_layout", "records"]

MAX_LINE = 1 << 20  # bytes; a block of pyarrow
SAMPLE, SAMPLE_LINES = 1 << 16, 20

SEPARATORS = (",", ";", "tab", "|", "space")
NAMED = {"tab": "\t", "space": " "}
# Never in text, see `read_text`: it leaves every line whole.
NO_SEPARATOR = "\x1f"

NUMBER = re.compile(
    r"[-+]?(?=.*\d)(\d+|\d{1,3}([ \u00a0\u202f'’.,]\d{3})+)?([.,]\d*)?([eE][-+]?\d+)?|[-+]?inf",
    re.IGNORECASE,
)
COMMA = re.compile(r"[-+]?\d[\d \u00a0\u202f'’]*,\d+(\.\d*)?")  # a number with one comma
CLOCK = r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)? ?([AP]M|Z|[-+]\d{2}:?(\d{2})?)?"
TIME = re.compile(rf"\d{{1,4}}[-/.]\d{{1,2}}[-/.]\d{{1,4}}([T ]+{CLOCK})?|{CLOCK}", re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """Where the table of a text is, and where its cells are.

    Attributes:
        separator: As in `FileFormat`.
        header: Whether the first row holds names.
        names: Names of the columns.
        start: Where the values begin in the text, in bytes.
        line: Line of the text, from 1, in which they begin.
        rows: The first rows of values.
    """

    separator: str
    header: bool
    names: tuple[str, ...]
    start: int
    line: int
    rows: tuple[tuple[str, ...], ...]

    @property
    def delimiter(self) -> str:
        """The separator as a character."""
        return delimiter_of(self.separator)


def delimiter_of(separator: str) -> str:
    """The character that a separator of a `FileFormat` means."""
    return NAMED.get(separator, separator) or NO_SEPARATOR


def records(lines: io.StringIO, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Rows of cells, each with the number of its last line; without lines that are empty.

    In a file of one column, an empty line is a missing value.

    Raises:
        FieldError: If a cell is too long.
    """
    # Columns of numbers are often aligned with several spaces.
    reader = csv.reader(
        lines, delimiter=delimiter_of(separator), skipinitialspace=separator == "space"
    )
    try:
        for cells in reader:
            if cells or not separator:
                yield reader.line_num, cells or [""]
    except csv.Error as error:
        raise FieldError("data", f"line {reader.line_num}: {error}") from None


def find_layout(text: bytes, stated: FileFormat, name: str) -> Layout:
    """Find out from the beginning of a text what the user does not state.

    Raises:
        FieldError: If it cannot be told.
    """
    sample = _sample(text, name)
    lines = list(io.StringIO(sample, newline=""))
    require(any(line.strip() for line in lines), "data", f"{name} is empty")
    first, separator, comment = _preamble(lines, stated)
    is_stated = separator is not None
    require(first < len(lines), "data", f"{name} holds no rows")
    body = "".join(lines[first:])
    if separator is None:
        separator = _separator(body, first, name)
    found = list(records(io.StringIO(body, newline=""), separator))
    rows = [cells for _, cells in found]
    header = _has_header(rows, name) if stated.header is None else stated.header
    if not (header or is_stated):
        _require_whole_cells(rows, separator, name)
    above = header + bool(stated.units)
    if header and stated.units is None and _may_hold_units(rows[1:]):
        raise FieldError(
            "reader.format.units",
            f"{', '.join(rows[1])[:40]!r} below the names in {name} may be units: say true or "
            "false",
        )
    require(len(rows) >= above, "data", f"{name} holds no rows")
    last = found[above - 1][0] if above else 0  # line of the body
    names = tuple(rows[0]) if header else tuple(f"column_{i}" for i in range(len(rows[0])))
    if not header and comment is not None:
        # The row of names may be marked as a comment.
        (cells,) = csv.reader([comment.lstrip("# ").rstrip()], delimiter=delimiter_of(separator))
        names = tuple(cells) if len(cells) == len(names) else names
    twice = [each for each, count in Counter(names).items() if count > 1]
    if twice:
        places = " and ".join(str(i + 1) for i, each in enumerate(names) if each == twice[0])
        problem = f"are both called {twice[0]!r}" if twice[0] else "have no name"
        raise FieldError("data", f"columns {places} of {name} {problem}")
    start = len("".join(lines[: first + last]).encode())
    values = tuple(tuple(cells) for cells in rows[above:] if len(cells) == len(names))
    return Layout(separator, header, names, start, first + last + 1, values)


def _sample(text: bytes, name: str) -> str:
    """Some whole lines from the beginning."""
    end = 0
    for number in range(1, len(text) + 1):
        after = text.find(b"\n", end) + 1 or len(text)
        require(
            after - end <= MAX_LINE,
            "data",
            f"line {number} of {name} is longer than {MAX_LINE} bytes",
        )
        end = after
        if end == len(text) or (end > SAMPLE and number >= SAMPLE_LINES):
            break
    return text[:end].decode()


def _preamble(lines: list[str], stated: FileFormat) -> tuple[int, str | None, str | None]:
    """Number of lines above the table, the separator if it is stated, and the last comment."""
    first, separator, comment = stated.skip or 0, stated.separator, None
    while first < len(lines):
        line = lines[first].strip()
        if line.startswith("#"):
            comment = line
        elif match := re.fullmatch("sep=(.)", lines[first].rstrip("\r\n")):
            # Excel writes and reads this.
            mark = {"\t": "tab", " ": "space"}.get(match[1], match[1])
            separator = mark if separator is None else separator
        elif line:
            break
        first += 1
    return first, separator, comment


def _separator(body: str, above: int, name: str) -> str:
    """The separator with which rows have as many cells as the first one, and cells have meaning."""
    best: tuple[tuple[float, ...], str] | None = None
    wide: tuple[int, str] | None = None
    for separator in SEPARATORS:
        rows = [cells for _, cells in records(io.StringIO(body, newline=""), separator)]
        usual, count = Counter(map(len, rows)).most_common(1)[0]
        if usual == 1:
            continue
        if len(rows[0]) == 1:
            wide = (usual, separator) if wide is None and count > len(rows) / 2 else wide
            continue
        cells = {cell for row in rows[1:] or rows for cell in row}
        meaning = sum(map(_is_value, cells)) / len(cells)
        if separator == "space" and (count < len(rows) or meaning < 0.5):
            continue
        score = (len(rows[0]) == usual, count / len(rows), meaning, usual)
        if best is not None and score[:3] == best[0][:3] and meaning == 1:
            raise FieldError(
                "reader.format.separator",
                f"may be {best[1]!r} or {separator!r} in {name}: say which",
            )
        if best is None or score > best[0]:
            best = score, separator
    if best is not None:
        return best[1]
    whole = [line.strip() for line in body.splitlines()[1:] if line.strip()]
    if wide is not None and sum(map(_is_value, whole)) < len(whole) / 2:
        raise FieldError(
            "reader.format.skip",
            f"line {above + 1} of {name} has 1 cell, but most have {wide[0]} with the separator "
            f"{wide[1]!r}: how many lines above the table are to be skipped?",
        )
    return ""


def _has_header(rows: list[list[str]], name: str) -> bool:
    """Whether the first row holds names.

    Names are text above values; numbers above numbers are values, unless they count the columns.
    """
    first, below = rows[0], rows[1:]
    words = [i for i, cell in enumerate(first) if cell.strip() and not _is_value(cell)]
    values = {i: first[i].strip() for i in range(len(first)) if first[i].strip() and i not in words}
    if not values:
        return True
    whole = all(re.fullmatch(r"\d+", cell) for cell in values.values())
    if not words:
        counts = list(values.values())
        ranks = [[str(i + origin) for i in range(len(counts))] for origin in (0, 1)]
        if counts not in ranks or (len(counts) == 1 and any(r[0].isdigit() for r in below)):
            return False
    elif whole and any(_holds_values(below, i) for i in words):
        return True
    raise FieldError(
        "reader.format.header",
        f"{', '.join(first)[:40]!r} in the first row of {name} may be names or values: say true or "
        "false",
    )


def _require_whole_cells(rows: list[list[str]], separator: str, name: str) -> None:
    """Raise a `FieldError` if rows of two cells may be numbers with a comma: 0,05."""
    split = [",".join(cells) for cells in rows]
    # Nobody begins a whole number with a zero, but decimals and groups of three do.
    zeros = [text for text in split if re.fullmatch(r"[^,]*,0\d+(\.\d*)?", text)]
    if separator == "," and zeros and all(map(COMMA.fullmatch, split)):
        raise FieldError(
            "reader.format.separator",
            f"{zeros[0]!r} in {name} may be one number or two: say '' or ','",
        )


def _may_hold_units(rows: list[list[str]]) -> bool:
    """Whether the first row has no value, and a word in every column that holds values below."""
    first, below = (rows[0] if rows else []), rows[1:]
    if any(cell.strip() and _is_value(cell) for cell in first):
        return False
    where = [i for i in range(len(first)) if _holds_values(below, i)]
    return bool(where) and all(first[i].strip() for i in where)


def _holds_values(rows: list[list[str]], column: int) -> bool:
    cells = [row[column] for row in rows if len(row) > column and row[column].strip()]
    return sum(map(_is_value, cells)) > len(cells) / 2


def _is_value(cell: str) -> bool:
    """Whether a cell is a number, a time or missing."""
    cell = cell.strip()
    return cell in MISSING or bool(NUMBER.fullmatch(cell) or TIME.fullmatch(cell))
