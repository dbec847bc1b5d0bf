"""Columns of tables ⇄ arrays of series."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.data.vocabulary import word_codes
from rvae.errors import FieldError

__all__ = [
    "categorical_column",
    "coded",
    "column_array",
    "is_number",
    "numbers",
    "split_by_key",
    "table_of",
    "words",
]

# Types that Arrow cannot encode as a dictionary → types that it can.
FOUND_AS = {pa.float16(): pa.float32(), pa.string_view(): pa.string()}

# Words that are held as text of Python, which takes much more memory.
WORDS_AT_ONCE = 1 << 14


def numbers(table: pa.Table, name: str) -> NDArray[np.float64]:
    """A column of numbers (N,), NaN where null."""
    # Large integers, such as times in nanoseconds, lose digits that no model could use.
    return table[name].cast(pa.float64(), safe=False).to_numpy()


def words(table: pa.Table, name: str) -> pa.ChunkedArray:
    """A column as text.

    Raises:
        FieldError: If it cannot be converted to text.
    """
    column = table[name]
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    try:
        column = column.cast(pa.string())
    except pa.ArrowException:
        raise FieldError(name, f"holds {column.type}, which cannot be categories") from None
    # An empty cell of text is missing.
    return pc.if_else(pc.equal(column, ""), None, column)


def categorical_column(
    table: pa.Table, name: str, vocabulary: Sequence[str]
) -> NDArray[np.float64]:
    """A column of words as numbers (N,), see `word_codes`.

    Raises:
        FieldError: If it cannot be converted to text.
    """
    different, places = coded(words(table, name))
    # Each distinct word is looked up once, and a million of them in pieces.
    starts = range(0, max(1, len(different)), WORDS_AT_ONCE)
    pieces = (different.slice(start, WORDS_AT_ONCE).to_pylist() for start in starts)
    return np.concatenate([word_codes(piece, vocabulary) for piece in pieces])[places]


def split_by_key(whole: Series, keys: pa.ChunkedArray) -> list[Series]:
    """Split a table of several series by their keys (N,), in the order of their first steps."""
    kind = keys.type.value_type if pa.types.is_dictionary(keys.type) else keys.type
    different, places = coded(keys.cast(FOUND_AS.get(kind, kind)))
    names: dict[str, int] = {}
    spellings = map(str, different.to_numpy(zero_copy_only=False))
    groups = np.array([names.setdefault(name, len(names)) for name in spellings])[places]
    steps = np.split(np.argsort(groups, kind="stable"), np.cumsum(np.bincount(groups))[:-1])
    return [whole.steps(which, name) for name, which in zip(names, steps, strict=True)]


def is_number(kind: pa.DataType) -> bool:
    """Whether a column of this type can be a numeric channel."""
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return any(test(kind) for test in tests)


def coded(column: pa.ChunkedArray) -> tuple[pa.Array, NDArray[np.int32]]:
    """Distinct cells of a column in order of occurrence, and the index of each row's cell (N,)."""
    different = column.unique()
    return different, pc.index_in(column, different).to_numpy()


def table_of(columns: Mapping[str, Any]) -> pa.Table:
    """Columns (N, …) as a table, with axes after the first as lists of fixed size."""
    return pa.table({name: column_array(values) for name, values in columns.items()})


def column_array(values: Any) -> pa.Array:
    """Values (N, …) as a column, with axes after the first as lists of fixed size."""
    # NaN marks missing values; in a table they are null.
    if not isinstance(values, np.ndarray) or values.ndim == 1:
        # Without any word, Arrow could not infer that the type is text.
        text = isinstance(values, np.ndarray) and values.dtype == object
        return pa.array(values, pa.string() if text else None, from_pandas=True)
    array = pa.array(values.reshape(-1), from_pandas=True)
    for size in reversed(values.shape[1:]):
        array = pa.FixedSizeListArray.from_arrays(array, size)
    return array
