"""Leaving out the categories that a training part does not have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.data.stored import Spool, StoredArray, blocks
from rvae.data.vocabulary import Vocabulary

__all__ = ["Renumbering", "restrict_to_training"]


@dataclass(frozen=True)
class Renumbering:
    """New numbers for the categories of some channels.

    Attributes:
        tables: By the channel's index, the new number of each old one (K + 1,).
    """

    tables: Mapping[int, NDArray[np.float64]]

    def __call__(self, series: Sequence[Series]) -> list[Series]:
        """The series with their categories renumbered; on disk again, if they are there."""
        if all((table == np.arange(len(table))).all() for table in self.tables.values()):
            return list(series)
        # One for all: of open files there must not be too many.
        spool = Spool(series[0].values.shape[1])
        return [replace(s, values=self._renumbered(s.values, spool)) for s in series]

    def _renumbered(
        self, values: NDArray[np.float64] | StoredArray, spool: Spool
    ) -> NDArray[np.float64] | StoredArray:
        if not isinstance(values, StoredArray):
            return self._applied(values)
        start = len(spool.stored())
        for block in blocks(values):
            spool.append(self._applied(block))
        return spool.stored()[start:]

    def _applied(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        values = values.copy()
        for channel, table in self.tables.items():
            there = ~np.isnan(values[:, channel])
            values[there, channel] = table[values[there, channel].astype(int)]
        return values


def restrict_to_training(
    training: Sequence[Series], channels: Sequence[str], vocabulary: Vocabulary
) -> tuple[Vocabulary, Renumbering]:
    """The categories that some step of the training part has, and their new numbers.

    The others are unknown to the model, as whatever comes when it serves.
    """
    there = {
        i: np.zeros(len(vocabulary.categories[name]) + 1, dtype=bool)
        for i, name in enumerate(channels)
        if name in vocabulary.categories
    }
    for s in training if there else ():
        for block in blocks(s.values):
            for i, used in there.items():
                used[block[~np.isnan(block[:, i]), i].astype(int)] = True
    left: dict[str, tuple[str, ...]] = {}
    tables: dict[int, NDArray[np.float64]] = {}
    for i, used in there.items():
        used[0] = False
        words = vocabulary.categories[channels[i]]
        left[channels[i]] = tuple(word for word, u in zip(words, used[1:], strict=True) if u)
        tables[i] = np.where(used, np.cumsum(used), 0.0)
    return Vocabulary(left, vocabulary.classes), Renumbering(tables)
