"""What an answer will hold: how many values of which kind, from the request alone."""

from collections.abc import Iterator

from rvae.inference.card import Card
from rvae.serving.contract.outputs.output import Axis, Field, Output
from rvae.serving.contract.query import Query
from rvae.serving.contract.sizes import Kind, Values

__all__ = ["field_axes", "field_values", "result_values", "sample_values"]


def result_values(query: Query, card: Card, words: bool) -> Iterator[Values]:
    """The values of every output but events, whose number is not known before.

    Args:
        query: The request.
        card: Card of the model.
        words: Whether categories are words in the answer, rather than numbers.
    """
    for output in query.outputs:
        if output.axis is not Axis.EVENT:
            for field in output.fields:
                yield from field_values(output, field, query, card, words)


def field_values(
    output: Output, field: Field, query: Query, card: Card, words: bool
) -> Iterator[Values]:
    """The values of a field, see `result_values`."""
    rows = query.windows(card) if output.axis is Axis.WINDOW else query.steps
    if field.shared and query.options.adapt is None:
        rows = len(query.inputs.series)
    if field.in_units:
        yield from _channel_values(field.name, rows, card, words)
        return
    yield Values(field.name, field.kind, rows, field_axes(field, card))


def field_axes(field: Field, card: Card) -> tuple[int, ...]:
    """Sizes of the axes of a field after the first."""
    sizes = {"channel": len(card.channels), "step": card.window, "latent": card.model.latent}
    return tuple(sizes[axis] for axis in field.axes)


def sample_values(query: Query, card: Card, words: bool) -> Iterator[Values]:
    """The values of generated windows, see `result_values`."""
    return _channel_values("instances", query.count * card.window, card, words)


def _channel_values(name: str, rows: int, card: Card, words: bool) -> Iterator[Values]:
    """Values of steps in the data's units: those of each channel, if categories are words."""
    if not words:
        yield Values(name, Kind.FLOAT64, rows, (len(card.channels),))
        return
    for channel in card.channels:
        known = card.vocabulary.categories.get(channel, ())
        yield Values(name, Kind.TEXT if known else Kind.FLOAT64, rows, texts=(None, *known))
