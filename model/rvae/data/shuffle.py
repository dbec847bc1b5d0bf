"""Random orders, also of more things than there is memory for."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["random_order"]

# Orders of up to so many things are drawn, four bytes for each.
MOST_DRAWN = 1 << 24

ROUNDS = 6


def random_order(
    length: int, random: np.random.Generator
) -> Callable[[NDArray[np.int64]], NDArray[np.int64]]:
    """Which of `length` things comes at which places.

    Of very many the order is not drawn but computed, place by place: a Feistel network of random
    keys permutes the numbers of as many bits as it takes, and is applied again to those that are
    too high (Black and Rogaway 2002, "Ciphers with arbitrary finite domains", sections 3 and 4).
    """
    if length <= MOST_DRAWN:
        order = random.permutation(np.arange(length, dtype=np.uint32))
        return lambda places: order[places].astype(np.int64)
    half = np.uint64(((length - 1).bit_length() + 1) // 2)
    keys = random.integers(1 << 64, size=ROUNDS, dtype=np.uint64)

    def computed(places: NDArray[np.int64]) -> NDArray[np.int64]:
        things = places.astype(np.uint64)
        left = np.arange(len(things))
        while len(left):
            things[left] = _permuted(things[left], half, keys)
            left = left[things[left] >= length]
        return things.astype(np.int64)

    return computed


def _permuted(
    numbers: NDArray[np.uint64], half: np.uint64, keys: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    """Numbers of two halves of so many bits, in another order."""
    mask = (np.uint64(1) << half) - np.uint64(1)
    high, low = numbers >> half, numbers & mask
    for key in keys:
        high, low = low, high ^ (_mixed(low ^ key) & mask)
    return (high << half) | low


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64: every bit depends on every other."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
