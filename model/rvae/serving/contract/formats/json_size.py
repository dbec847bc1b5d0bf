"""Sizes of answers in JSON."""

import math

import numpy as np
import orjson

from rvae.data.series import Series
from rvae.inference.card import Card
from rvae.scoring.events import Event
from rvae.serving.contract.answer_values import field_values, sample_values
from rvae.serving.contract.outputs.events import event_json
from rvae.serving.contract.outputs.output import Axis, Field
from rvae.serving.contract.query import Query
from rvae.serving.contract.sizes import Encoding, Kind, Span, Values, decimal_size

__all__ = ["NUMBERS", "OBJECT", "event_size", "object_size"]


def _text(text: str | None) -> int:
    return len(orjson.dumps(text)) + 1


# With the comma behind each: 0.0 is the shortest number, -2.2250738585072014e-308 the longest, so
# that an answer has at most 6.25 times the fewest bytes that it may have.
NUMBERS = Encoding(
    kinds={
        Kind.FLOAT64: Span(4, 25),
        Kind.FLOAT32: Span(4, 17),
        Kind.FLOAT: Span(4, 25),
        Kind.FLAG: Span(5, 6),
    },
    integer=decimal_size,
    text=_text,
)
LIST = Span.exactly(2)  # brackets around the values of a list within another one

# What is around the values: of the whole answer, with the names of model and version, and of one
# series.
OBJECT, PREDICTION = Span(10, 4000), Span(40, 100)


def object_size(query: Query, card: Card) -> Span:
    """Fewest and most bytes of an answer as an object, but for the events in it."""
    if query.generates:
        return OBJECT + _samples_size(query, card)
    series = query.inputs.series
    size = OBJECT + PREDICTION * len(series) + _starts_size(query, card)
    if query.inputs.named:
        size += Span.exactly(sum(len('"series":') + _text(one.name) for one in series))
    for output in query.outputs:
        for field in output.fields:
            size += Span(len(field.name) + 3, len(field.name) + 5) * len(series)
            if output.axis is Axis.EVENT:
                continue
            for values in field_values(output, field, query, card, words=True):
                size += NUMBERS.size(values)
            rows = query.windows(card) if output.axis is Axis.WINDOW else query.steps
            size += LIST * _lists(field, rows, query, card)
    return size


def _starts_size(query: Query, card: Card) -> Span:
    """Fewest and most bytes of the first steps of windows."""
    last = max(map(len, query.inputs.series), default=0)
    return NUMBERS.size(Values("starts", Kind.INTEGER, query.windows(card), largest=last))


def event_size(card: Card) -> Span:
    """Fewest and most bytes of an event."""
    number, last = -2.2250738585072014e-308, 10**12
    names = sorted(card.channels, key=lambda name: len(orjson.dumps(name)))
    channels = tuple((name, number) for name in names[-3:])
    shortest = Event(0, 1, 0, 0.0, 0.0, (), 0.0, True)
    longest = Event(last, last, last, number, number, channels, number, False)
    times = (f',"{name}_time":"9999-12-31T23:59:59.999999"' for name in ("start", "last", "peak"))
    bare = Series(np.empty((1, 1)))
    least, most = (len(orjson.dumps(event_json(one, bare))) + 1 for one in (shortest, longest))
    return Span(least, most + sum(map(len, times)))


def _samples_size(query: Query, card: Card) -> Span:
    latent = Values("latent", Kind.FLOAT32, query.count, (card.model.latent,))
    lists = 2 * query.count + (query.count * card.window if len(card.channels) > 1 else 0)
    size = NUMBERS.size(latent) + LIST * lists
    for values in sample_values(query, card, words=True):
        size += NUMBERS.size(values)
    return size


def _lists(field: Field, rows: int, query: Query, card: Card) -> int:
    """The fewest lists within lists of a field: values of a single channel may have none around."""
    sizes = {"step": card.window, "latent": card.model.latent, "channel": len(card.channels)}
    axes = [sizes[axis] for axis in field.axes if axis != "channel" or not any(query.inputs.flat)]
    return rows * sum(math.prod(axes[:depth]) for depth in range(len(axes)))
