"""What a request may say: JSON bytes → checked options and arrays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rvae.adaptation import FASTEST
from rvae.artifact import Card
from rvae.beside import beside, classes_of, times_of
from rvae.data.series import Series
from rvae.data.vocabulary import numbered
from rvae.errors import FieldError, MalformedError, require

__all__ = ["MalformedError", "Options", "Query", "parse"]

# How series may come.
FORMS = ("data", "columns", "instances")

Output = Literal["score", "latent", "reconstruction", "point_scores", "contributions", "events"]


class Options(BaseModel):
    """The body of a prediction request; `data`, `columns` or `instances` must be given."""

    model_config = ConfigDict(strict=True)

    data: Annotated[
        list[Any] | None,
        Field(
            description="One series, [v, …] or [[c1, c2, …], …]; null is missing, a category text."
        ),
    ] = None
    columns: Annotated[
        dict[str, list[Any]] | None,
        Field(description="One series, a list of values for each channel's name."),
    ] = None
    instances: Annotated[
        list[Any] | None, Field(description="Several series, answered in order.", min_length=1)
    ] = None
    timestamps: Annotated[
        list[Any] | None,
        Field(description="Time of every step in ISO 8601, rising; a list of each instance."),
    ] = None
    label: Annotated[
        Any, Field(description="Class of the series, for a conditional model; of each instance.")
    ] = None
    output: Annotated[
        list[Output] | None, Field(description="What to answer with.", min_length=1, max_length=6)
    ] = None
    stride: Annotated[
        int | None, Field(description="Steps between windows.", ge=1, le=1_000_000_000)
    ] = None
    quantile: Annotated[
        float | None, Field(description="Quantile of normal scores to flag above.", gt=0, lt=1)
    ] = None
    threshold: Annotated[float | None, Field(description="Score to flag above.")] = None
    adapt: Annotated[
        float | None,
        Field(description="How fast the threshold follows the series.", ge=0, le=FASTEST),
    ] = None
    gap: Annotated[
        int | None,
        Field(description="Steps between events that are one.", ge=0, le=1_000_000_000),
    ] = None


@dataclass(frozen=True)
class Query:
    """A request that fits the model.

    Attributes:
        series: At least one.
        flat: For each series, whether its values were given without a channel axis, as `columns` of
            a single channel are, too.
        many: Whether `instances` was used.
        output: What to answer with; None for the endpoint's default.
        stride: Steps between windows; None for the model's own.
        quantile: Quantile to flag above; None for the model's own.
        threshold: Score to flag above; None to take it from the quantile.
        adapt: Rate at which the threshold follows the series; None for one that stays.
        gap: Most steps between events that are one; None for the stride.
    """

    series: list[Series]
    flat: list[bool]
    many: bool
    output: tuple[Output, ...] | None
    stride: int | None
    quantile: float | None
    threshold: float | None
    adapt: float | None
    gap: int | None


def parse(body: bytes | bytearray | Any, card: Card) -> Query:
    """Check a body against the model.

    Args:
        body: JSON text, or what a server has parsed of it.
        card: Of the model that is to answer.

    Raises:
        MalformedError: If the body is no JSON object.
        FieldError: If it does not fit the model.
    """
    if isinstance(body, bytes | bytearray):
        require_json(len(body) > 0, "the body is empty")
        try:
            body = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            hint = "; JSON has no NaN, write null for a missing value" if b"NaN" in body else ""
            raise MalformedError("body", f"is not valid JSON: {error}{hint}") from None
    require_json(
        isinstance(body, dict),
        f"expected a JSON object with data, columns or instances, got {_kind(body)}",
    )
    # Pydantic would collect every unknown field of a hostile body before it says the first.
    for name in body:
        require(
            name in Options.model_fields,
            str(name),
            f"is unknown: a request may hold {', '.join(Options.model_fields)}",
        )
    try:
        options = Options.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        message = first["msg"][:1].lower() + first["msg"][1:]
        raise FieldError(_path(first["loc"]), message) from None
    given = [name for name in FORMS if getattr(options, name) is not None]
    require(
        len(given) > 0,
        "data",
        "is missing: give data or columns (one series) or instances (several)",
    )
    require(len(given) < 2, given[-1], f"cannot be given together with {given[0]}")
    require(
        options.quantile is None or options.threshold is None,
        "threshold",
        "cannot be given together with quantile",
    )
    require(
        options.adapt is None or options.threshold is None,
        "adapt",
        "cannot be given together with threshold: it follows a quantile",
    )
    require(
        options.gap is None or "events" in (options.output or ()),
        "gap",
        "is only for events: name them in output",
    )
    many = options.instances is not None
    raw = options.instances if options.instances is not None else [options.data]
    fields = [f"instances[{i}]" for i in range(len(raw))] if many else given
    if options.columns is not None:
        parsed = [_of_columns(options.columns, card)]
    else:
        parsed = [_of_rows(value, field, card) for value, field in zip(raw, fields, strict=True)]
    lengths = [len(values) for values, _ in parsed]
    times = times_of(beside(options.timestamps, "timestamps", many, len(raw)), lengths, card)
    classes = classes_of(beside(options.label, "label", many, len(raw)), lengths, card)
    return Query(
        series=[
            Series(values, field, None, when, kinds)
            for (values, _), field, when, kinds in zip(parsed, fields, times, classes, strict=True)
        ],
        flat=[flat for _, flat in parsed],
        many=many,
        output=tuple(options.output) if options.output else None,
        stride=options.stride,
        quantile=options.quantile,
        threshold=options.threshold,
        adapt=options.adapt,
        gap=options.gap,
    )


def require_json(condition: bool, message: str) -> None:
    """Raise a `MalformedError` unless `condition` holds."""
    if not condition:
        raise MalformedError("body", message)


def _of_rows(value: Any, field: str, card: Card) -> tuple[NDArray[np.float64], bool]:
    """The values (N, C) of a series that came step by step, and whether they came flat."""
    channels = len(card.channels)
    if type(value) is not list:
        raise FieldError(field, f"expected a list of values, got {_kind(value)}")
    _require_window(len(value), field, card)
    flat = channels == 1 and type(value[0]) is not list
    if flat:
        numbers = value
    else:
        if set(map(type, value)) != {list} or set(map(len, value)) != {channels}:
            raise _odd_row(value, field, card)
        numbers = list(chain.from_iterable(value))

    def place(step: int, channel: int) -> str:
        return f"{field}[{step}]" if flat else f"{field}[{step}][{channel}]"

    return _values(numbers, field, place, card), flat


def _of_columns(columns: Mapping[str, list[Any]], card: Card) -> tuple[NDArray[np.float64], bool]:
    """The values (N, C) of a series that came channel by channel, and whether there is but one."""
    names = ", ".join(card.channels)
    for name in columns:
        require(name in card.channels, f"columns.{name}", f"is unknown: the channels are {names}")
    lengths = set()
    for name in card.channels:
        require(name in columns, f"columns.{name}", f"is missing: the channels are {names}")
        lengths.add(len(columns[name]))
        require(
            len(lengths) == 1,
            f"columns.{name}",
            f"has {len(columns[name])} values, columns.{card.channels[0]} has "
            f"{len(columns[card.channels[0]])}",
        )
    _require_window(lengths.pop(), f"columns.{card.channels[0]}", card)
    numbers = list(
        chain.from_iterable(zip(*(columns[name] for name in card.channels), strict=True))
    )

    def place(step: int, channel: int) -> str:
        return f"columns.{card.channels[channel]}[{step}]"

    return _values(numbers, "columns", place, card), len(card.channels) == 1


def _require_window(steps: int, field: str, card: Card) -> None:
    require(
        steps >= card.window,
        field,
        f"has {steps} time steps, the model's window needs at least {card.window}",
    )


def _values(
    numbers: list[Any], field: str, place_of: Callable[[int, int], str], card: Card
) -> NDArray[np.float64]:
    """The values (N, C) of a series that came as one list, step by step.

    Numbers are looked at by their type before NumPy sees them, because NumPy takes truth values
    and digits in strings for numbers.

    Args:
        numbers: What came.
        field: What it is called as a whole.
        place_of: What the value of a step and channel is called.
        card: Of the model.
    """
    channels = len(card.channels)

    def place(index: int) -> str:
        return place_of(*divmod(int(index), channels))

    for i, name in enumerate(card.channels):
        if name in card.vocabulary.categories:
            words = _words(numbers, i, channels, place)
            codes = numbered(words, card.vocabulary.categories[name]).tolist()
            numbers = numbers.copy()
            numbers[i::channels] = [
                None if word is None else code for word, code in zip(words, codes, strict=True)
            ]

    types = set(map(type, numbers))
    if strange := types - {int, float, type(None)}:
        index = next(i for i, number in enumerate(numbers) if type(number) in strange)
        raise FieldError(place(index), f"expected a number or null, got {_kind(numbers[index])}")
    try:
        array = np.array(numbers, dtype=np.float64).reshape(-1, channels)
    except OverflowError:
        raise FieldError(field, "holds a number beyond the range of a double") from None
    low, high = card.bounds()
    # A NaN that stands for null is nowhere, any other is out of bounds.
    wrong = ~((array >= low) & (array <= high))
    if type(None) in types:
        absent = np.fromiter((number is None for number in numbers), bool, len(numbers))
        require(not absent.all(), field, "has no value at all")
        wrong &= ~absent.reshape(array.shape)
    if wrong.any():
        index = int(np.argmax(wrong))
        channel = index % channels
        raise FieldError(
            place(index),
            f"is {numbers[index]:g}, but the model takes values from {low[channel]:.4g} to "
            f"{high[channel]:.4g}",
        )
    return array


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
                raise FieldError(place(index), f"expected a category as text, got {_kind(value)}")
    return words


def _odd_row(rows: list[Any], field: str, card: Card) -> FieldError:
    """What is wrong with the first time step that is not a list of a value for each channel."""
    channels = len(card.channels)
    step, row = next(
        (step, row)
        for step, row in enumerate(rows)
        if type(row) is not list or len(row) != channels
    )
    got = f"{len(row)} of them" if type(row) is list else _kind(row)
    names = ", ".join(card.channels)
    return FieldError(
        f"{field}[{step}]", f"expected a list of {channels} values ({names}), got {got}"
    )


def _kind(value: Any) -> str:
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


def _path(location: Sequence[int | str]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")
