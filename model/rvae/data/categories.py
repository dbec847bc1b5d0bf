"""Leaving out the categories that a training part does not have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.data.stored import Spool, Stored, blocks
from rvae.data.vocabulary import Vocabulary

__all__ = ["Renumbering", "known_to_training"]


@dataclass(frozen=True)
class Renumbering:
    """New numbers for the categories of some channels.

    Attributes:
        tables: By the channel's index, the new number of each old one (K + 1,).
    """

    tables: Mapping[int, NDArray[np.float64]]

    def __call__(self, series: Series) -> Series:
        """The series with its categories renumbered; on disk again, if it is there."""
        if all((table == np.arange(len(table))).all() for table in self.tables.values()):
            return series
        if not isinstance(series.values, Stored):
            return replace(series, values=self._applied(series.values))
        spool = Spool(series.values.shape[1])
        for block in blocks(series.values):
            spool.append(self._applied(block))
        return replace(series, values=spool.stored())

    def _applied(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        values = values.copy()
        for channel, table in self.tables.items():
            there = ~np.isnan(values[:, channel])
            values[there, channel] = table[values[there, channel].astype(int)]
        return values


def known_to_training(
    training: Sequence[Series], channels: Sequence[str], vocabulary: Vocabulary
) -> tuple[Vocabulary, Renumbering]:
    """The categories that some step of the training part has, and what they are numbered now.

    The others are unknown to the model, as whatever comes when it serves.
    """
    left: dict[str, tuple[str, ...]] = {}
    tables: dict[int, NDArray[np.float64]] = {}
    for i, name in enumerate(channels):
        if name not in vocabulary.categories:
            continue
        words = vocabulary.categories[name]
        there = np.zeros(len(words) + 1, dtype=bool)
        for s in training:
            for block in blocks(s.values):
                there[block[~np.isnan(block[:, i]), i].astype(int)] = True
        there[0] = False
        left[name] = tuple(word for word, used in zip(words, there[1:], strict=True) if used)
        tables[i] = np.where(there, np.cumsum(there), 0.0)
    return Vocabulary(left, vocabulary.classes), Renumbering(tables)
