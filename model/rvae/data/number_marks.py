"""How numbers are written: which mark stands before decimals, and which between thousands."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from rvae.config import FileFormat
from rvae.data.columns import coded
from rvae.errors import FieldError

__all__ = ["MISSING", "Evidence", "Marks", "classify", "evidence", "with_grouped_numbers"]

# Spellings of a missing value in text.
MISSING: tuple[str, ...] = tuple(csv.ConvertOptions().null_values)

# Marks between thousands that cannot be anything else in a number.
GROUPERS = (" ", "\u00a0", "\u202f", "'", "’")
START, END = r"^\s*[-+]?", r"\s*$"
WHOLE = rf"{START}\d+{END}"
SHORT = rf"{START}\d{{1,3}}{END}"
MARK = {".": r"\.", ",": ","}  # as regular expressions
OTHER = {".": ",", ",": "."}


@dataclass(frozen=True)
class Marks:
    """The marks in numbers.

    Attributes:
        decimal: Mark before decimals, "." or ",".
        thousands: Mark between groups of three digits; "" if there is none.
    """

    decimal: str = "."
    thousands: str = ""

    @property
    def pattern(self) -> str:
        """Regular expression of a number."""
        mark, whole = MARK[self.decimal], r"\d+"
        if self.thousands:
            group = MARK.get(self.thousands, self.thousands)
            whole = rf"(\d+|\d{{1,3}}({group}\d{{3}})+)"
        return rf"{START}({whole}({mark}\d*)?|{mark}\d+)([eE][-+]?\d+)?{END}"


@dataclass
class Evidence:
    """What cells say about the marks, with a cell of each kind, by mark.

    Attributes:
        decimal: Cells in which the mark must stand before decimals: 0,5.
        thousands: Cells in which it must separate thousands: 1,234,567.
        either: Cells in which it may do either: 1,234.
        uneven: Cells in which the point may do either, and the other numbers of the column are
            whole and short. Were the point a decimal one, there would be other lengths.
    """

    decimal: dict[str, str] = field(default_factory=dict)
    thousands: dict[str, str] = field(default_factory=dict)
    either: dict[str, str] = field(default_factory=dict)
    uneven: dict[str, str] = field(default_factory=dict)

    @property
    def is_certain(self) -> bool:
        """Whether a mark can be read in one way only, whatever other cells say."""
        return bool(self.decimal or self.thousands)

    def marks(self, separator: str, stated: FileFormat) -> Marks | None:
        """The marks with which all cells can be read; None if more than one reading is left.

        Args:
            separator: Separator of the file. Where it is ";", decimals often have a comma.
            stated: What the user says about the marks.

        Raises:
            FieldError: If no reading is left.
        """
        if stated.decimal is not None and stated.thousands is not None:
            return Marks(stated.decimal, stated.thousands)
        possible = [mark for mark in MARK if self._may_be_decimal(mark, stated)]
        if not possible:
            kinds = (self.decimal, self.thousands, self.either)
            one, other = [cell for kind in kinds for cell in kind.values()][:2]
            raise FieldError(
                "reader.format.decimal",
                f"{one!r} and {other!r} do not agree on the decimal mark: correct one of them, or "
                "say '.' or ','",
            )
        unclear = "," in self.either or bool(self.uneven)
        unclear |= separator == ";" and "." in self.either
        if len(possible) == 2 and unclear:
            return None
        decimal = possible[0]
        if stated.thousands is not None:
            return Marks(decimal, stated.thousands)
        groups = self.thousands.keys() | (self.either.keys() - {decimal})
        group = next((mark for mark in (OTHER[decimal], *GROUPERS) if mark in groups), "")
        return Marks(decimal, group)

    def _may_be_decimal(self, mark: str, stated: FileFormat) -> bool:
        if stated.decimal is not None:
            return mark == stated.decimal
        if stated.thousands is not None:
            if stated.thousands in MARK:
                return mark != stated.thousands
            # Between thousands there is something else, or nothing.
            return OTHER[mark] not in {**self.decimal, **self.either}
        return mark not in self.thousands and OTHER[mark] not in self.decimal

    def unclear(self) -> FieldError:
        """The error of cells that leave more than one reading."""
        mark, cell = next(iter({**self.either, **self.uneven}.items()))
        return FieldError(
            "reader.format.decimal",
            f"{cell!r} may be a number with decimals or one of thousands: say either "
            f"format.decimal {mark!r} or format.thousands {mark!r}",
        )


def evidence(columns: Iterable[pa.ChunkedArray]) -> Evidence:
    """What columns of text say about the marks in numbers."""
    found = Evidence()
    for column in columns:
        _collect(column.unique(), found)
    return found


def _collect(cells: pa.Array, found: Evidence) -> None:
    def matching(pattern: str) -> NDArray[np.bool_]:
        matches = pc.match_substring_regex(cells, pattern).fill_null(False)
        return matches.to_numpy(zero_copy_only=False)

    def keep(examples: dict[str, str], mark: str, which: NDArray[np.bool_]) -> None:
        if which.any():
            examples.setdefault(mark, cells[int(np.argmax(which))].as_py())

    others = "[" + "".join(GROUPERS)
    for mark, other in OTHER.items():
        m, o = MARK[mark], MARK[other]
        either = matching(rf"{START}[1-9]\d{{0,2}}{m}\d{{3}}{END}")
        decimal = matching(rf"{START}(\d*{m}\d+|\d+{m})([eE][-+]?\d+)?{END}") & ~either
        decimal |= matching(rf"{START}\d{{1,3}}({others}{other}]\d{{3}})+{m}\d+{END}")
        keep(found.either, mark, either)
        keep(found.decimal, mark, decimal)
        groups = matching(rf"{START}[1-9]\d{{0,2}}({m}\d{{3}}){{2,}}{END}")
        groups |= matching(rf"{START}[1-9]\d{{0,2}}({m}\d{{3}})+{o}\d+{END}")
        keep(found.thousands, mark, groups)
        if mark == "." and either.any() and not decimal.any():
            whole = matching(WHOLE)
            if whole.any() and bool((matching(SHORT) == whole).all()):
                keep(found.uneven, mark, either)
    for mark in GROUPERS:
        keep(
            found.thousands,
            mark,
            matching(rf"{START}[1-9]\d{{0,2}}({mark}\d{{3}})+([.,]\d*)?{END}"),
        )


def classify(column: pa.ChunkedArray, marks: Marks) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which cells (N,) of a column of text are numbers, and which are missing."""
    # Each distinct cell is looked at once.
    different, places = coded(column)
    numeric = pc.match_substring_regex(different, marks.pattern).fill_null(False)
    missing = pc.is_in(different, pa.array([*MISSING, None], different.type))
    return (
        numeric.to_numpy(zero_copy_only=False)[places],
        missing.to_numpy(zero_copy_only=False)[places],
    )


def with_grouped_numbers(table: pa.Table, marks: Marks) -> pa.Table:
    """A table in which text becomes numbers where all cells of a column are such with thousands.

    pyarrow reads decimal marks itself, but no marks between thousands.
    """
    if not marks.thousands:
        return table
    for i, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
        if not pa.types.is_string(column.type):
            continue
        numeric, missing = classify(column, marks)
        if numeric.any() and (numeric | missing).all():
            text = pc.replace_substring(column, marks.thousands, "")
            text = pc.utf8_trim_whitespace(pc.replace_substring(text, marks.decimal, "."))
            text = pc.if_else(pa.array(missing), None, pc.utf8_ltrim(text, "+"))
            table = table.set_column(i, name, text.cast(pa.float64()))
    return table
