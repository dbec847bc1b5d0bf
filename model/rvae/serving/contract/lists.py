"""Series as nested lists, which is how JSON has them."""

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.data.vocabulary import word_codes
from rvae.errors import FieldError, require
from rvae.inference.card import Card
from rvae.serving.contract.given import Given, given, require_fits, require_window
from rvae.serving.contract.latents import latents
from rvae.serving.contract.options import FORMS, Options

__all__ = ["given_in_lists", "kind_of", "numbers_in", "values_of"]


def given_in_lists(options: Options, card: Card) -> Given:
    """What the fields of a request are about.

    Raises:
        FieldError: If it does not fit the model.
    """
    if options.task == "sample":
        return Given([], [], many=True)
    if options.task == "decode":
        return latents(_matrix(options.latent, card), "latent", card)
    forms = [name for name in FORMS if getattr(options, name) is not None]
    require(
        len(forms) > 0,
        "data",
        "is missing: give data or columns (one series) or instances (several)",
    )
    require(len(forms) < 2, forms[-1], f"cannot be given together with {forms[0]}")
    many = options.instances is not None
    if options.columns is not None:
        parsed = [_of_columns(options.columns, card)]
    elif options.instances is not None:
        parsed = [_of_rows(one, f"instances[{i}]", card) for i, one in enumerate(options.instances)]
    else:
        parsed = [_of_rows(options.data, "data", card)]
    return given([one for one, _ in parsed], [flat for _, flat in parsed], many, options, card)


def kind_of(value: Any) -> str:
    """What a value of JSON is called."""
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


def numbers_in(
    values: list[Any], field: str, place: Callable[[int], str]
) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
    """A list of numbers and nulls as an array (N,), and which are null, if some are.

    Numbers are looked at by their type before NumPy sees them, because NumPy takes truth values
    and digits in strings for numbers.

    Args:
        values: What came.
        field: What it is called as a whole.
        place: What one of them is called.

    Raises:
        FieldError: If one is something else, or larger than a double can be.
    """
    types = set(map(type, values))
    if strange := types - {int, float, type(None)}:
        index = next(i for i, value in enumerate(values) if type(value) in strange)
        raise FieldError(place(index), f"expected a number or null, got {kind_of(values[index])}")
    try:
        array = np.array(values, dtype=np.float64)
    except OverflowError:
        raise FieldError(field, "holds a number beyond the range of a double") from None
    if type(None) not in types:
        return array, None
    return array, np.fromiter((value is None for value in values), bool, len(values))


def values_of(
    numbers: list[Any], field: str, place: Callable[[int, int], str], card: Card
) -> NDArray[np.float64]:
    """The values (N, C) of a series that came as one list, step by step.

    Args:
        numbers: What came.
        field: What it is called as a whole.
        place: What the value of a step and channel is called.
        card: Of the model.

    Raises:
        FieldError: If it does not fit the model.
    """
    channels = len(card.channels)

    def at(index: int) -> str:
        return place(*divmod(int(index), channels))

    for i, name in enumerate(card.channels):
        if name in card.vocabulary.categories:
            words = _words(numbers, i, channels, at)
            codes = word_codes(words, card.vocabulary.categories[name]).tolist()
            numbers = numbers.copy()
            numbers[i::channels] = [
                None if word is None else code for word, code in zip(words, codes, strict=True)
            ]
    array, absent = numbers_in(numbers, field, at)
    shape = (-1, channels)
    values = array.reshape(shape)
    require_fits(values, None if absent is None else absent.reshape(shape), field, place, card)
    return values


def _of_rows(value: Any, field: str, card: Card) -> tuple[NDArray[np.float64], bool]:
    """The values (N, C) of a series that came step by step, and whether they came flat."""
    channels = len(card.channels)
    if type(value) is not list:
        raise FieldError(field, f"expected a list of values, got {kind_of(value)}")
    require_window(len(value), field, card)
    flat = channels == 1 and type(value[0]) is not list
    numbers = value if flat else _unnested(value, channels, field, ", ".join(card.channels))

    def place(step: int, channel: int) -> str:
        return f"{field}[{step}]" if flat else f"{field}[{step}][{channel}]"

    return values_of(numbers, field, place, card), flat


def _of_columns(columns: Mapping[str, Any], card: Card) -> tuple[NDArray[np.float64], bool]:
    """The values (N, C) of a series that came channel by channel, and whether there is but one."""
    names = ", ".join(card.channels)
    for name in columns:
        require(name in card.channels, f"columns.{name}", f"is unknown: the channels are {names}")
    lengths = set()
    for name in card.channels:
        require(name in columns, f"columns.{name}", f"is missing: the channels are {names}")
        got = columns[name]
        require(
            type(got) is list, f"columns.{name}", f"expected a list of values, got {kind_of(got)}"
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

    return values_of(numbers, "columns", place, card), len(card.channels) == 1


def _matrix(rows: list[Any] | None, card: Card) -> NDArray[np.float64]:
    """Latents (S, D) that came as a list of lists."""
    if rows is None:
        raise FieldError("latent", "is missing: give a list of latents")
    size = card.model.latent
    numbers = _unnested(rows, size, "latent", "a latent")

    def place(index: int) -> str:
        return "latent[{}][{}]".format(*divmod(index, size))

    return numbers_in(numbers, "latent", place)[0].reshape(-1, size)


def _unnested(rows: list[Any], width: int, field: str, names: str) -> list[Any]:
    """The values of rows of so many each, one after another.

    Raises:
        FieldError: If a row is no list, or has more or fewer.
    """
    if set(map(type, rows)) == {list} and set(map(len, rows)) == {width}:
        return list(chain.from_iterable(rows))
    at, row = next(
        (at, row) for at, row in enumerate(rows) if type(row) is not list or len(row) != width
    )
    got = f"{len(row)} of them" if type(row) is list else kind_of(row)
    raise FieldError(f"{field}[{at}]", f"expected a list of {width} values ({names}), got {got}")


def _words(
    values: list[Any], channel: int, channels: int, place: Callable[[int], str]
) -> list[str | None]:
    """A channel's categories as text: JSON may hold them as whole numbers or truth values too."""
    words: list[str | None] = []
    for index in range(channel, len(values), channels):
        value = values[index]
        match value:
            case None | str():
                words.append(value)
            case bool():
                words.append(str(value).lower())
            case int():
                words.append(str(value))
            case _:
                raise FieldError(place(index), f"expected a category as text, got {kind_of(value)}")
    return words
