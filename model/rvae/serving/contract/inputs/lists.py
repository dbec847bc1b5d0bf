"""Series and latents as nested lists, as in JSON."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.data.vocabulary import normalize_word
from rvae.errors import FieldError, require
from rvae.inference.card import Card
from rvae.serving.contract.inputs.latents import latent_input
from rvae.serving.contract.inputs.series_input import (
    SeriesInput,
    annotated_input,
    require_in_bounds,
    require_window,
)
from rvae.serving.contract.options import SERIES_FIELDS, Options

__all__ = ["json_type", "list_input", "number_array", "series_values"]

# Spellings of categories that are remembered: most series have a few, again and again.
MAX_SPELLINGS = 4096


def list_input(options: Options, card: Card) -> SeriesInput:
    """The series or latents in the fields of a request.

    Raises:
        FieldError: If it does not fit the model.
    """
    if options.task == "sample":
        return SeriesInput([], [], many=True)
    if options.task == "decode":
        return latent_input(_matrix(options.latent, card), "latent", card)
    names = [name for name in SERIES_FIELDS if getattr(options, name) is not None]
    require(
        len(names) > 0,
        "data",
        "is missing: send data or columns (one series) or instances (several)",
    )
    require(len(names) < 2, names[-1], f"cannot be combined with {names[0]}")
    many = options.instances is not None
    if options.columns is not None:
        parsed = [_of_columns(options.columns, card)]
    elif options.instances is not None:
        parsed = [_of_rows(one, f"instances[{i}]", card) for i, one in enumerate(options.instances)]
    else:
        parsed = [_of_rows(options.data, "data", card)]
    return annotated_input(
        [one for one, _ in parsed], [flat for _, flat in parsed], many, options, card
    )


def json_type(value: Any) -> str:
    """Name of the type of a value of JSON."""
    match value:
        case None:
            return "null"
        case bool():
            return "a truth value"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def number_array(
    values: list[Any], field: str, place: Callable[[int], str]
) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
    """A list of numbers and nulls as an array (N,), and which are null, if some are.

    The types are checked before NumPy sees the values: it takes truth values, and strings of
    digits, for numbers.

    Args:
        values: The list.
        field: Name of the list in errors.
        place: Name of one of its values in errors.

    Raises:
        FieldError: If one is something else, or beyond the range of a double.
    """
    types = set(map(type, values))
    if unexpected := types - {int, float, type(None)}:
        index = next(i for i, value in enumerate(values) if type(value) in unexpected)
        raise FieldError(place(index), f"expected a number or null, got {json_type(values[index])}")
    try:
        array = np.array(values, dtype=np.float64)
    except OverflowError:
        raise FieldError(field, "holds a number beyond the range of a double") from None
    if type(None) not in types:
        return array, None
    return array, np.fromiter((value is None for value in values), bool, len(values))


def series_values(
    numbers: list[Any], field: str, place: Callable[[int, int], str], card: Card
) -> NDArray[np.float64]:
    """The values (N, C) of a series that came as one list, step by step.

    Args:
        numbers: The list.
        field: Name of the series in errors.
        place: Name of the value of a step and channel in errors.
        card: Card of the model.

    Raises:
        FieldError: If it does not fit the model.
    """
    channels = len(card.channels)

    def at(index: int) -> str:
        return place(*divmod(int(index), channels))

    if card.vocabulary.categories:
        numbers = numbers.copy()
        for i, name in enumerate(card.channels):
            if name in card.vocabulary.categories:
                vocabulary = card.vocabulary.categories[name]
                numbers[i::channels] = _codes(numbers, i, channels, vocabulary, at)
    array, absent = number_array(numbers, field, at)
    shape = (-1, channels)
    values = array.reshape(shape)
    require_in_bounds(values, None if absent is None else absent.reshape(shape), field, place, card)
    return values


def _of_rows(value: Any, field: str, card: Card) -> tuple[NDArray[np.float64], bool]:
    """The values (N, C) of a series that came step by step, and whether without a channel axis."""
    channels = len(card.channels)
    if type(value) is not list:
        raise FieldError(field, f"expected a list of values, got {json_type(value)}")
    require_window(len(value), field, card)
    flat = channels == 1 and type(value[0]) is not list
    numbers = value if flat else _flattened(value, channels, field, ", ".join(card.channels))

    def place(step: int, channel: int) -> str:
        return f"{field}[{step}]" if flat else f"{field}[{step}][{channel}]"

    return series_values(numbers, field, place, card), flat


def _of_columns(columns: Mapping[str, Any], card: Card) -> tuple[NDArray[np.float64], bool]:
    """The values (N, C) of a series that came by channel, and whether there is only one channel."""
    names = ", ".join(card.channels)
    for name in columns:
        require(name in card.channels, f"columns.{name}", f"is unknown: the channels are {names}")
    lengths = set()
    for name in card.channels:
        require(name in columns, f"columns.{name}", f"is missing: the channels are {names}")
        column = columns[name]
        require(
            type(column) is list,
            f"columns.{name}",
            f"expected a list of values, got {json_type(column)}",
        )
        lengths.add(len(columns[name]))
        require(
            len(lengths) == 1,
            f"columns.{name}",
            f"has {len(columns[name])} values, columns.{card.channels[0]} has "
            f"{len(columns[card.channels[0]])}",
        )
    require_window(lengths.pop(), f"columns.{card.channels[0]}", card)
    numbers = list(
        chain.from_iterable(zip(*(columns[name] for name in card.channels), strict=True))
    )

    def place(step: int, channel: int) -> str:
        return f"columns.{card.channels[channel]}[{step}]"

    return series_values(numbers, "columns", place, card), len(card.channels) == 1


def _matrix(rows: list[Any] | None, card: Card) -> NDArray[np.float64]:
    """Latents (S, D) that came as a list of lists."""
    if rows is None:
        raise FieldError("latent", "is missing: send a list of latents")
    size = card.model.latent
    numbers = _flattened(rows, size, "latent", "a latent")

    def place(index: int) -> str:
        return "latent[{}][{}]".format(*divmod(index, size))

    return number_array(numbers, "latent", place)[0].reshape(-1, size)


def _flattened(rows: list[Any], width: int, field: str, names: str) -> list[Any]:
    """The values of rows of the same width, one after another.

    Raises:
        FieldError: If a row is not a list of that length.
    """
    if set(map(type, rows)) == {list} and set(map(len, rows)) == {width}:
        return list(chain.from_iterable(rows))
    at, row = next(
        (at, row) for at, row in enumerate(rows) if type(row) is not list or len(row) != width
    )
    got = f"{len(row)} of them" if type(row) is list else json_type(row)
    raise FieldError(f"{field}[{at}]", f"expected a list of {width} values ({names}), got {got}")


def _codes(
    values: list[Any],
    channel: int,
    channels: int,
    vocabulary: Sequence[str],
    place: Callable[[int], str],
) -> list[float | None]:
    """Numbers of the categories of a channel, which JSON may hold as numbers or truth values, too.

    They share a few objects: a million of their own would take a hundred megabytes.
    """
    known = {word: float(number) for number, word in enumerate(vocabulary, start=1)}
    spellings = dict(known)
    codes: list[float | None] = []
    for index in range(channel, len(values), channels):
        match values[index]:
            case None:
                codes.append(None)
                continue
            case str() as word:
                pass
            case bool() as truth:
                word = str(truth).lower()
            case int() as number:
                word = str(number)
            case value:
                raise FieldError(
                    place(index), f"expected a category as text, got {json_type(value)}"
                )
        code = spellings.get(word)
        if code is None:
            code = known.get(normalize_word(word), 0.0)
            if len(spellings) < MAX_SPELLINGS:
                spellings[word] = code
        codes.append(code)
    return codes
