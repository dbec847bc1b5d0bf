"""Series as the columns of a table.

pyarrow costs a server 40 MB and a tenth of a second: import this module only for tables.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rvae.data.columns import categorical_column, is_number, numbers, split_by_key
from rvae.data.series import Series
from rvae.data.times import timestamps
from rvae.errors import FieldError, require
from rvae.inference.card import Card
from rvae.serving.contract.inputs.annotations import require_rising, series_classes
from rvae.serving.contract.inputs.series_input import (
    SeriesInput,
    require_in_bounds,
    require_series_count,
    require_window,
)
from rvae.serving.contract.options import Options

__all__ = ["table_input"]

MAX_NAME = 100  # characters of the name of a series


def table_input(table: pa.Table, options: Options, card: Card) -> SeriesInput:
    """Series in a table like the training file: a row per time step, a column per channel.

    Times, classes and names of series are in the columns in which the training file had them.
    Other columns are ignored.

    Raises:
        FieldError: If it does not fit the model.
    """
    if options.task in ("decode", "sample"):
        raise FieldError("body", f"is a table, which is not valid for the task {options.task}")
    require(options.timestamps is None, "timestamps", "must be a column of the table")
    missing = [name for name in card.channels if name not in table.column_names]
    require(not missing, "body", f"lacks the column {', '.join(missing)}")
    require_window(table.num_rows, "body", card)
    values = np.stack([_channel(table, name, card) for name in card.channels], axis=1)

    def place(step: int, channel: int) -> str:
        return f"columns.{card.channels[channel]}[{step}]"

    require_in_bounds(values, np.isnan(values), "body", place, card)
    whole = Series(values, "0", None, _times(table, card), _classes(table, options, card))
    key = card.reader.series
    many = key is not None and key in table.column_names
    if many:
        names = table[key].unique()
        require_series_count(len(names), f"columns.{key}")
        # An answer repeats them in every row.
        longest = max(len(str(name)) for name in names.to_pylist())
        require(longest <= MAX_NAME, f"columns.{key}", f"holds more than {MAX_NAME} characters")
    series = split_by_key(whole, table[key]) if many else [whole]
    for one in series:
        where = f"columns.{key} {one.name}" if many else "body"
        require_window(len(one), where, card)
        if one.times is not None:
            require_rising(one.clock(), f"columns.{card.reader.time}")
        if many:
            require(not np.isnan(np.asarray(one.values)).all(), where, "has no value at all")
    return SeriesInput(series, [False] * len(series), many, named=many)


def _channel(table: pa.Table, name: str, card: Card) -> NDArray[np.float64]:
    """The values (N,) of a channel, NaN where missing."""
    if name in card.vocabulary.categories:
        with _column_errors():
            return categorical_column(table, name, card.vocabulary.categories[name])
    kind = table.schema.field(name).type
    require(
        is_number(kind) or pa.types.is_null(kind),
        f"columns.{name}",
        f"holds {kind}, expected numbers",
    )
    return numbers(table, name)


def _times(table: pa.Table, card: Card) -> NDArray[np.datetime64] | None:
    """The times of the steps (N,), if there is a column of them."""
    name = card.reader.time
    if name is None or name not in table.column_names:
        require(
            not card.model.time.calendar,
            f"columns.{name}",
            "is missing: this model needs the time of every step",
        )
        return None
    with _column_errors():
        times = timestamps(table, name)
    missing = np.isnat(times)
    require(not missing.any(), f"columns.{name}[{np.argmax(missing)}]", "is missing")
    return times


def _classes(table: pa.Table, options: Options, card: Card) -> NDArray[np.int64] | None:
    """The class of each step (N,), if the model needs one."""
    name, vocabulary = card.reader.classes, card.vocabulary.classes
    present = name is not None and name in table.column_names
    if not (card.model.conditional and present) or options.label is not None:
        return series_classes([("label", options.label)], [table.num_rows], card)[0]
    with _column_errors():
        codes = np.nan_to_num(categorical_column(table, str(name), vocabulary)).astype(np.int64) - 1
    unknown = codes < 0
    require(
        not unknown.any(),
        f"columns.{name}[{np.argmax(unknown)}]",
        f"expected one of {', '.join(vocabulary)}",
    )
    return codes


@contextmanager
def _column_errors() -> Iterator[None]:
    """Name the column as requests name it, not as training files do."""
    try:
        yield
    except FieldError as error:
        raise FieldError(f"columns.{error.field}", error.message) from None
