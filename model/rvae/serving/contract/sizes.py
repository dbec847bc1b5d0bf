"""Sizes of answers, known before anything is computed.

Outputs say how many values of which kind they have, formats how many bytes a value of each kind
takes, at least and at most. What is certainly too large is refused before it is computed.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from rvae.errors import require

__all__ = ["Encoding", "Kind", "Span", "Values", "decimal_size", "require_small_enough"]


@dataclass(frozen=True)
class Span:
    """The fewest and the most bytes of something.

    Attributes:
        least: The fewest.
        most: The most.
    """

    least: int
    most: int

    def __add__(self, other: "Span") -> "Span":
        return Span(self.least + other.least, self.most + other.most)

    def __mul__(self, count: int) -> "Span":
        return Span(self.least * count, self.most * count)

    @classmethod
    def exactly(cls, size: int) -> "Span":
        """A size that is known."""
        return cls(size, size)

    @classmethod
    def of_one(cls, sizes: Iterable[int]) -> "Span":
        """Any one of some sizes; nothing if there are none."""
        every = list(sizes)
        return cls(min(every, default=0), max(every, default=0))


class Kind(StrEnum):
    """Kinds of values in answers."""

    FLOAT64 = "float64"
    FLOAT32 = "float32"
    FLOAT = "float"  # of 32 or 64 bits, as the scorer has it
    INTEGER = "integer"
    FLAG = "flag"
    TIME = "time"
    TEXT = "text"


@dataclass(frozen=True)
class Values:
    """Values of one kind that an answer will hold.

    Attributes:
        name: Name of the field or column.
        kind: What they are.
        rows: Size of the first axis, over all series.
        axes: Sizes of further axes.
        largest: Of integers: none is larger, or negative.
        texts: Of texts: each of them is one of these, None where it is missing.
    """

    name: str
    kind: Kind
    rows: int
    axes: tuple[int, ...] = ()
    largest: int = 0
    texts: tuple[str | None, ...] = ()

    @property
    def count(self) -> int:
        """How many there are."""
        return self.rows * math.prod(self.axes)


@dataclass(frozen=True)
class Encoding:
    """Bytes of values in a format.

    Attributes:
        kinds: Of a value of each kind, where its text or number does not matter.
        integer: Of an integer that is not larger than some number.
        text: Of a text, None where it is missing.
    """

    kinds: Mapping[Kind, Span]
    integer: Callable[[int], Span]
    text: Callable[[str | None], int]

    def size(self, values: Values) -> Span:
        """Bytes of some values, without what is around lists of them."""
        match values.kind:
            case Kind.TEXT:
                one = Span.of_one(map(self.text, values.texts))
            case Kind.INTEGER:
                one = self.integer(values.largest)
            case kind:
                one = self.kinds[kind]
        return one * values.count


def decimal_size(largest: int) -> Span:
    """Bytes of an integer in digits, with the character behind it; none is larger, or negative."""
    return Span(2, len(str(largest)) + 1)


def require_small_enough(size: int, limit: int) -> None:
    """Raise a `FieldError` where an answer has, or certainly will have, too many bytes."""
    require(
        size <= limit,
        "output",
        f"the answer would have at least {size} bytes, over the limit of {limit}: ask for less, "
        "raise the stride or send less",
    )
