"""A random order of windows that training can be resumed with."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

__all__ = ["EpochShuffle"]

INDICES_PER_BLOCK = 4096


class EpochShuffle(Sampler[int]):
    """A random order that depends on seed and epoch alone, so that training can be resumed.

    With P processes, each gets every P-th window of the same order. All get equally many: the
    last ones may get a window that another process has already had.

    Args:
        length: Number of windows.
        seed: Seed of the order.
        rank: Index of this process.
        processes: Number of processes P.
    """

    def __init__(self, length: int, seed: int, rank: int, processes: int) -> None:
        self._length = length
        self._seed = seed
        self._rank = rank
        self._processes = processes
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the next epoch; called by Lightning."""
        self._epoch = epoch

    def __len__(self) -> int:
        return -(-self._length // self._processes)

    def __iter__(self) -> Iterator[int]:
        # Drawn with the first index: until then the epoch may still be set.
        order = random_order(self._length, self._seed, self._epoch)
        for first in range(0, len(self), INDICES_PER_BLOCK):
            turns = np.arange(first, min(first + INDICES_PER_BLOCK, len(self)))
            yield from order[(turns * self._processes + self._rank) % self._length].tolist()


def random_order(length: int, seed: int, epoch: int) -> NDArray[Any]:
    """A random permutation of `length` indices, the same for the same seed and epoch.

    It takes four bytes per index in every process: 0.4 GB for a hundred million windows.
    """
    order = np.arange(length, dtype=np.uint32 if length <= 1 << 32 else np.uint64)
    np.random.default_rng([seed, epoch]).shuffle(order)
    return order
