"""Windows for training."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from rvae.data.scaler import Scaler
from rvae.data.series import Series
from rvae.data.windows import every_window, window_starts

__all__ = ["WindowDataset"]


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
