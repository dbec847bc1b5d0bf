"""Sizes of answers as tables."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from rvae.inference.card import Card
from rvae.serving.contract.answer_values import result_values, sample_values
from rvae.serving.contract.outputs.output import Axis
from rvae.serving.contract.query import Query
from rvae.serving.contract.sizes import Encoding, Kind, Span, Values, decimal_size

__all__ = ["arrow_size", "csv_size", "event_row_size"]


def _csv_text(text: str | None) -> int:
    """Text comes in quotes, and its own quotes twice."""
    return 1 if text is None else len(text.encode()) + text.count('"') + 3


# With the comma or the end of the line behind each. A missing number has no character: an answer
# may have 26 times the fewest bytes that it may have.
CSV_CELLS = Encoding(
    kinds={
        Kind.FLOAT64: Span(1, 26),
        Kind.FLOAT32: Span(1, 18),
        Kind.FLOAT: Span(1, 26),
        Kind.FLAG: Span(5, 6),
        Kind.TIME: Span(20, 30),
    },
    integer=decimal_size,
    text=_csv_text,
)

# A text has an offset. Without the bits that say which cells are null, and the flags' own.
ARROW_WIDTHS: Mapping[Kind, Span] = {
    Kind.FLOAT64: Span.exactly(8),
    Kind.FLOAT32: Span.exactly(4),
    Kind.FLOAT: Span(4, 8),
    Kind.INTEGER: Span.exactly(8),
    Kind.TIME: Span.exactly(8),
    Kind.FLAG: Span.exactly(0),
}
OFFSET = Span.exactly(4)
# Of the headers, without names: of a table, and of a column.
ARROW_TABLE, ARROW_COLUMN = 1000, 800


def csv_size(query: Query, card: Card) -> Span:
    """Fewest and most bytes of a CSV, but for events."""
    size = Span(0, 0)
    for values in _columns(query, card):
        size += CSV_CELLS.size(values) + Span(0, _names_size(values, card))
    return size


def arrow_size(query: Query, card: Card) -> Span:
    """Fewest and most bytes of an Arrow stream, but for events.

    They differ by the texts and by the bits that mark what is missing.
    """
    size = Span(0, ARROW_TABLE)
    for values in _columns(query, card):
        if values.kind is Kind.TEXT:
            letters = Span.of_one(0 if one is None else len(one.encode()) for one in values.texts)
            width = OFFSET + letters
        else:
            width = ARROW_WIDTHS[values.kind]
        bits = values.count // 8
        size += width * values.count
        if values.kind is Kind.FLAG:
            size += Span.exactly(bits)
        size += Span(0, 2 * bits + ARROW_COLUMN + _names_size(values, card))
    return size


def event_row_size(card: Card) -> Span:
    """Fewest and most bytes of the row of an event, in any kind of table."""
    longest = max(len(name.encode()) for name in card.channels)
    return Span(20, 1500 + 2 * longest)


def _columns(query: Query, card: Card) -> Iterator[Values]:
    """The columns of the table, each with as many axes more as its cells have."""
    if query.generates:
        rows = query.count * card.window
        yield Values("series", Kind.TEXT, rows, texts=("0", str(query.count)))
        yield Values("step", Kind.INTEGER, rows, largest=card.window)
        yield from sample_values(query, card, words=True)
        return
    axis, series = query.outputs[0].axis, query.inputs.series
    if axis is Axis.EVENT:
        return
    rows = query.windows(card) if axis is Axis.WINDOW else query.steps
    longest = max(map(len, series))
    yield Values("series", Kind.TEXT, rows, texts=tuple(one.name for one in series))
    if series[0].times is not None:
        yield Values("time", Kind.TIME, rows)
    for name in ("start", "end") if axis is Axis.WINDOW else ("step",):
        yield Values(name, Kind.INTEGER, rows, largest=longest)
    for values in result_values(query, card, words=True):
        yield replace(values, rows=rows)  # what holds for all windows is in every row


def _names_size(values: Values, card: Card) -> int:
    """The most bytes of the names of columns, each at most twice."""
    longest = max(len(name.encode()) for name in card.channels)
    return math.prod(values.axes) * 2 * (longest + len(values.name) + 20)
