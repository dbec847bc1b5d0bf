"""Windows for training."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from rvae.data.scaler import Scaler
from rvae.data.series import Series
from rvae.data.windows import every_window, window_starts

__all__ = ["EpochShuffle", "WindowDataset"]


class WindowDataset(Dataset[Tensor]):
    """All windows of some series, cut when they are asked for.

    An item is a scaled window (T, C), NaN where missing.
    """

    def __init__(self, series: Sequence[Series], scaler: Scaler, window: int, stride: int) -> None:
        self._views = [every_window(scaler.transform(s.values), window) for s in series]
        starts = [window_starts(len(s), window, stride) for s in series]
        self._owners = np.repeat(np.arange(len(series)), [len(s) for s in starts])
        self._starts = np.concatenate(starts)

    @property
    def observed(self) -> int:
        """How many windows hold a value."""
        return sum(bool((~item.isnan()).any()) for item in map(self.__getitem__, range(len(self))))

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> Tensor:
        return torch.tensor(self._views[self._owners[index]][self._starts[index]])


class EpochShuffle(Sampler[int]):
    """A random order that depends on seed and epoch alone, so that training can be resumed."""

    def __init__(self, length: int, seed: int) -> None:
        self._length = length
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Lightning says here which epoch comes next."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[int]:
        # Drawn only when the first index is asked for: until then the epoch may still be set.
        order = np.random.default_rng([self._seed, self._epoch]).permutation(self._length)
        yield from order.tolist()
