"""Series as the columns of a table."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rvae.data.columns import categorical_column, is_number, numbers, split_by_key, timestamps
from rvae.data.series import Series
from rvae.errors import FieldError, require
from rvae.inference.card import Card
from rvae.serving.contract.beside import classes_of, require_rising
from rvae.serving.contract.given import Given, require_few, require_fits, require_window
from rvae.serving.contract.options import Options

__all__ = ["given_in_table"]

NAME = 100  # characters, of a series


def given_in_table(table: pa.Table, options: Options, card: Card) -> Given:
    """Series in a table such as the model was trained on: a row a time step, a column a channel.

    The columns that told times, classes and series in the training file do so here. Others are
    left alone.

    Raises:
        FieldError: If it does not fit the model.
    """
    if options.task in ("decode", "sample"):
        raise FieldError("body", f"is a table, which says nothing to {options.task}")
    require(options.timestamps is None, "timestamps", "must be a column of the table")
    missing = [name for name in card.channels if name not in table.column_names]
    require(not missing, "body", f"lacks the column {', '.join(missing)}")
    require_window(table.num_rows, "body", card)
    values = np.stack([_channel(table, name, card) for name in card.channels], axis=1)

    def place(step: int, channel: int) -> str:
        return f"columns.{card.channels[channel]}[{step}]"

    require_fits(values, np.isnan(values), "body", place, card)
    whole = Series(values, "0", None, _times(table, card), _classes(table, options, card))
    key = card.reader.series
    many = key is not None and key in table.column_names
    if many:
        names = table[key].unique()
        require_few(len(names), f"columns.{key}")
        # An answer has them in every row.
        longest = max(len(str(name)) for name in names.to_pylist())
        require(longest <= NAME, f"columns.{key}", f"holds more than {NAME} characters")
    series = split_by_key(whole, table[key]) if many else [whole]
    for one in series:
        where = f"columns.{key} {one.name}" if many else "body"
        require_window(len(one), where, card)
        if one.times is not None:
            require_rising(one.clock(), f"columns.{card.reader.time}")
        if many:
            require(not np.isnan(np.asarray(one.values)).all(), where, "has no value at all")
    return Given(series, [False] * len(series), many, named=many)


def _channel(table: pa.Table, name: str, card: Card) -> NDArray[np.float64]:
    """The values (N,) of a channel, NaN where missing."""
    if name in card.vocabulary.categories:
        with _named_as_column():
            return categorical_column(table, name, card.vocabulary.categories[name])
    kind = table.schema.field(name).type
    require(
        is_number(kind) or pa.types.is_null(kind),
        f"columns.{name}",
        f"holds {kind}, expected numbers",
    )
    return numbers(table, name)


def _times(table: pa.Table, card: Card) -> NDArray[np.datetime64] | None:
    """When the steps were (N,), if a column says so."""
    name = card.reader.time
    if name is None or name not in table.column_names:
        require(
            not card.model.time.calendar,
            f"columns.{name}",
            "is missing: this model needs the time of every step",
        )
        return None
    with _named_as_column():
        times = timestamps(table, name)
    missing = np.isnat(times)
    require(not missing.any(), f"columns.{name}[{np.argmax(missing)}]", "is missing")
    return times


def _classes(table: pa.Table, options: Options, card: Card) -> NDArray[np.int64] | None:
    """The class of each step (N,), if the model needs one."""
    name, known = card.reader.classes, card.vocabulary.classes
    given = name is not None and name in table.column_names
    if not (card.model.conditional and given) or options.label is not None:
        return classes_of([("label", options.label)], [table.num_rows], card)[0]
    with _named_as_column():
        codes = np.nan_to_num(categorical_column(table, str(name), known)).astype(np.int64) - 1
    unknown = codes < 0
    require(
        not unknown.any(),
        f"columns.{name}[{np.argmax(unknown)}]",
        f"expected one of {', '.join(known)}",
    )
    return codes


@contextmanager
def _named_as_column() -> Iterator[None]:
    """Call the column of a file what it is called in a request."""
    try:
        yield
    except FieldError as error:
        raise FieldError(f"columns.{error.field}", error.message) from None
