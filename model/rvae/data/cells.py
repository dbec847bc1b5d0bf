"""Errors in single cells of a table."""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rvae.data.columns import is_number
from rvae.data.number_marks import Marks, classify
from rvae.errors import FieldError, require

__all__ = ["CellError", "are_numbers", "require_every", "require_finite", "require_numbers"]

MAX_SHOWN = 40


class CellError(FieldError):
    """A cell that cannot be read.

    Attributes:
        row: Its row in the table, from 0.
    """

    def __init__(self, column: str, cell: object, row: int, problem: str, place: str = "") -> None:
        shown = repr(cell)
        if len(shown) > MAX_SHOWN:
            shown = shown[:MAX_SHOWN] + "…"
        super().__init__(column, f"{shown} in {place or f'row {row}'} {problem}")
        self.row = row
        self._cell, self._problem = cell, problem

    def at(self, place: str, row: int = 0) -> "CellError":
        """The same error at a place that a user can look up."""
        return CellError(self.field, self._cell, row, self._problem, place)


def require_every(
    holds: NDArray[np.bool_], field: str, column: pa.ChunkedArray, problem: str
) -> None:
    """Raise a `CellError` at the first row (N,) of a column for which something does not hold."""
    if not holds.all():
        row = int(np.argmin(holds))
        cell = column[row].as_py()
        raise CellError(field, "" if cell is None else cell, row, problem)


def are_numbers(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Which cells (N,) of a column are numbers or truth values, also as text."""
    if pa.types.is_string(column.type):
        return classify(column, Marks())[0]
    return column.is_valid().to_numpy() & is_number(column.type)


def require_finite(values: NDArray[np.float64], channels: Sequence[str]) -> None:
    """Raise a `CellError` if one of some values (N, C) is infinite."""
    infinite = np.isinf(values)
    if infinite.any():
        row, channel = np.argwhere(infinite)[0].tolist()
        raise CellError(channels[channel], float(values[row, channel]), row, "is infinite")


def require_numbers(table: pa.Table, names: Iterable[str], marks: Marks) -> None:
    """Raise a `FieldError` if a column holds numbers except for a few cells of text.

    Args:
        table: Any table.
        names: Columns that are not meant to be text; other names are ignored.
        marks: How numbers are written.
    """
    for name in names:
        if table.column_names.count(name) == 1:
            _require_numbers(table[name], name, marks)


def _require_numbers(column: pa.ChunkedArray, name: str, marks: Marks) -> None:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    require(not pa.types.is_null(kind), name, "holds nothing: name the columns that are channels")
    require(not pa.types.is_binary(kind), name, "holds text that is not UTF-8")
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return
    numeric, missing = classify(column, marks)
    if 2 * numeric.sum() > (~missing).sum():
        problem = (
            "is no number, as others are: correct it, leave it empty, or name the columns that "
            "are channels with reader.columns"
        )
        require_every(numeric | missing, name, column, problem)
