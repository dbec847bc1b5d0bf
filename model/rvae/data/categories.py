"""Restriction of a vocabulary to the categories of the training part."""

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
        """The series with their categories renumbered; series on disk stay on disk."""
        if all((table == np.arange(len(table))).all() for table in self.tables.values()):
            return list(series)
        # One file for all series: the number of open files is limited.
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
    """The categories that occur in the training part, and their new numbers.

    All others are unknown to the model, like new categories in requests.
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
