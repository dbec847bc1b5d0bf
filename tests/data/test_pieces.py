"""Pieces of a series, taken together."""

import numpy as np
import pytest

from rvae.data.pieces import first_steps, steps_of, take_last, together, without_first, without_last
from rvae.data.series import Series


def pieces(*lengths: int, origin: str | None = "m") -> list[Series]:
    steps = np.split(np.arange(sum(lengths), dtype=float)[:, None], np.cumsum(lengths)[:-1])
    return [Series(values, f"{origin}/{i}", origin=origin) for i, values in enumerate(steps)]


def steps(some: list[Series]) -> list[list[float]]:
    return [piece.values[:, 0].tolist() for piece in some]


def test_pieces_belong_together_and_whole_series_do_not() -> None:
    a, b, whole = pieces(3, 4, origin="a"), pieces(5, origin="b"), pieces(2, 2, origin=None)
    assert together([*a, *whole, *b]) == [a, whole[:1], whole[1:], b]
    assert steps_of(a) == 7
    unnamed = pieces(2, 3, origin="")
    assert together(unnamed) == [unnamed]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, []),
        (2, [[0, 1]]),
        (3, [[0, 1, 2]]),
        (5, [[0, 1, 2], [3, 4]]),
        (7, [[0, 1, 2], [3, 4, 5, 6]]),
    ],
)
def test_the_first_steps(count: int, expected: list[list[float]]) -> None:
    some = pieces(3, 4)
    assert steps(first_steps(some, count)) == expected
    assert steps(without_last(some, 7 - count)) == expected


def test_without_the_first_steps() -> None:
    some = pieces(3, 4)
    for count in range(9):
        left = without_first(some, count)
        assert [v for part in steps(left) for v in part] == list(range(min(count, 7), 7))
    assert [piece.first for piece in without_first(some, 2)] == [2, 0]
    assert [piece.first for piece in without_first(some, 5)] == [2]


@pytest.mark.parametrize(
    ("lengths", "wanted", "left", "taken"),
    [
        ([10], 4, [[0, 1, 2, 3, 4, 5]], [[6, 7, 8, 9]]),
        ([6, 4], 4, [[0, 1, 2, 3, 4, 5]], [[6, 7, 8, 9]]),
        ([6, 4], 5, [[0, 1, 2]], [[3, 4, 5], [6, 7, 8, 9]]),  # at least a window
        ([6, 2], 4, [[0, 1]], [[2, 3, 4, 5]]),  # no window in the last one
        ([2, 2], 3, [], []),
    ],
)
def test_the_last_steps_in_stretches_of_a_window(
    lengths: list[int], wanted: int, left: list[list[float]], taken: list[list[float]]
) -> None:
    rest, last = take_last(pieces(*lengths), wanted, window=3, stride=1)
    assert (steps(rest), steps(last)) == (left, taken)


@pytest.mark.parametrize(("stride", "begins"), [(1, [5, 0]), (4, [4, 0]), (10, [0, 0])])
def test_stretches_begin_at_multiples_of_the_stride_in_their_piece(
    stride: int, begins: list[int]
) -> None:
    rest, last = take_last(pieces(11, 7), 13, window=3, stride=stride)
    assert [piece.first for piece in last] == begins
    assert steps_of(rest) == begins[0]
    # Also of a stretch that does not begin with its piece.
    _, last = take_last(without_first(pieces(11, 7), 2), 13, window=3, stride=stride)
    assert [piece.first for piece in last] == [max(2, begins[0]), 0]
