"""The pieces of a series that was cut at holes, taken together."""

from collections.abc import Sequence
from itertools import groupby

from rvae.data.series import Series

__all__ = [
    "Pieces",
    "first_steps",
    "steps_of",
    "take_last",
    "together",
    "without_first",
    "without_last",
]

# Of one series, in the order of time; a series without holes is one piece.
Pieces = list[Series]


def together(series: Sequence[Series]) -> list[Pieces]:
    """The pieces of each series of the file."""

    def whole(item: tuple[int, Series]) -> str | int:
        place, piece = item
        return place if piece.origin is None else piece.origin

    keyed = groupby(enumerate(series), key=whole)
    return [[piece for _, piece in some] for _, some in keyed]


def steps_of(pieces: Pieces) -> int:
    """Number of steps of all pieces."""
    return sum(map(len, pieces))


def first_steps(pieces: Pieces, steps: int) -> Pieces:
    """The pieces that hold so many steps from the first on."""
    return without_last(pieces, steps_of(pieces) - steps)


def without_last(pieces: Pieces, steps: int) -> Pieces:
    """The pieces without so many steps at the end."""
    left = list(pieces)
    while steps > 0 and left:
        last = left.pop()
        if len(last) > steps:
            left.append(last.part(0, len(last) - steps))
        steps -= len(last)
    return left


def without_first(pieces: Pieces, steps: int) -> Pieces:
    """The pieces without so many steps at the beginning."""
    left = list(pieces)
    while steps > 0 and left:
        first = left.pop(0)
        if len(first) > steps:
            left.insert(0, first.part(steps, len(first)))
        steps -= len(first)
    return left


def take_last(pieces: Pieces, steps: int, window: int, stride: int) -> tuple[Pieces, Pieces]:
    """What is left, and the stretches that are taken from the end.

    Each stretch begins at a multiple of the stride, counted in the piece that it is cut from, where
    windows begin when the piece is cut into windows as a whole.

    Args:
        pieces: The pieces.
        steps: How many steps are wanted at least, in stretches of at least a window.
        window: Steps of a window; shorter stretches that lie between are lost.
        stride: Steps between the starts of neighbouring windows.
    """
    left, taken = list(pieces), Pieces()
    while steps > 0 and left:
        last = left.pop()
        length = min(len(last), max(steps, window))
        begin = len(last) - length
        length += min(begin, (last.first + begin) % stride)
        if length < len(last):
            left.append(last.part(0, len(last) - length))
        if length >= window:
            taken.insert(0, last.part(len(last) - length, len(last)))
            steps -= length
    return left, taken
