"""Scores of held-out windows → blocks that count as independent."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.scoring.dependence import autocorrelation_time
from rvae.scoring.ranks import Ranks

__all__ = ["Blocks", "Stretch", "dependence_steps", "group_sums"]


@dataclass(frozen=True)
class Stretch:
    """Scores of consecutive windows of one series.

    Attributes:
        scores: Score of each window (W,), NaN where nothing was observed.
        starts: First step of each window (W,), ascending.
    """

    scores: NDArray[np.float64]
    starts: NDArray[np.int64]

    def observed(self) -> "Stretch":
        """The stretch without the windows in which nothing was observed."""
        known = ~np.isnan(self.scores)
        return Stretch(self.scores[known], self.starts[known])


@dataclass(frozen=True, eq=False)
class Blocks:
    """Scores of held-out windows in time order, in segments and blocks.

    A segment has the windows that start within as many steps as a window is long: all of them share
    a step with the next ones, and at most one event begins in it. A block has whole segments, for
    as long as the scores depend on each other. Windows that overlap, and series that change slowly,
    therefore count for less than their number.

    Attributes:
        scores: Scores in time order (n,), without NaN.
        segments: Number of scores of each segment (S,).
        blocks: Number of segments of each block (K,).
        steps: Steps of a segment.
    """

    scores: NDArray[np.float64]
    segments: NDArray[np.int64]
    blocks: NDArray[np.int64]
    steps: int

    @classmethod
    def fit(
        cls,
        stretches: Sequence[Stretch],
        window: int,
        stride: int,
        time: float,
        successive: bool = False,
    ) -> "Blocks":
        """Divide stretches, of which at least one has a score.

        Args:
            stretches: Scores of held-out windows, in time order.
            window: Time steps T.
            stride: Steps between the starts of neighbouring windows.
            time: Steps for which scores depend on each other, see `dependence_steps`.
            successive: Whether stretches follow each other, as folds do: a block may then have
                segments of several, and a stretch shorter than a block is none of its own.
        """
        steps = max(window, stride)
        together = max(1, round(time / steps))  # segments of a block
        observed = [one for one in map(Stretch.observed, stretches) if len(one.scores)]
        held = [_segments(one.starts, steps, stride) for one in observed]
        if successive:
            held = [[size for sizes in held for size in sizes]]
        blocks = [
            len(block)
            for sizes in held
            for block in np.array_split(sizes, max(1, len(sizes) // together))
        ]
        scores = np.concatenate([one.scores for one in observed])
        return cls(scores, np.concatenate(held), np.array(blocks), steps)

    @classmethod
    def without_order(cls, scores: NDArray[np.float64], independent: int, steps: int) -> "Blocks":
        """Blocks of sorted scores (n,) of which only the number of independent ones is known.

        Each block gets every K-th score, and one segment: as for scores that are spread evenly.
        """
        count = max(1, min(independent, len(scores)))
        dealt = [scores[first::count] for first in range(count)]
        sizes = np.array([len(one) for one in dealt])
        return cls(np.concatenate(dealt), sizes, np.ones(count, dtype=np.int64), steps)

    def without_highest(self, share: float) -> "Blocks":
        """The blocks without the highest scores of all, rounded to whole windows."""
        dropped = round(share * len(self.scores))
        kept = np.ones(len(self.scores), dtype=bool)
        kept[np.argsort(self.scores, kind="stable")[len(self.scores) - dropped :]] = False
        segments = group_sums(kept, self.segments)
        blocks = group_sums(segments > 0, self.blocks)
        return Blocks(self.scores[kept], segments[segments > 0], blocks[blocks > 0], self.steps)

    def joined(self, others: "Blocks") -> "Blocks":
        """These blocks, and then the others."""
        return Blocks(
            np.concatenate([self.scores, others.scores]),
            np.concatenate([self.segments, others.segments]),
            np.concatenate([self.blocks, others.blocks]),
            self.steps,
        )

    def at_most(self, scores: int) -> "Blocks":
        """About so many scores at the most: those of blocks that are evenly spaced in time."""
        kept = max(1, min(self.count, self.count * scores // len(self.scores)))
        chosen = np.zeros(self.count, dtype=bool)
        chosen[np.linspace(0, self.count - 1, kept).astype(int)] = True
        segments = np.repeat(chosen, self.blocks)
        return Blocks(
            self.scores[np.repeat(segments, self.segments)],
            self.segments[segments],
            self.blocks[chosen],
            self.steps,
        )

    @property
    def count(self) -> int:
        """Number of blocks K."""
        return len(self.blocks)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Number of scores of each block (K,)."""
        return group_sums(self.segments, self.blocks)

    @property
    def mean_steps(self) -> float:
        """Steps of a block, on average."""
        return self.steps * len(self.segments) / self.count

    @cached_property
    def windows(self) -> Ranks:
        """Ranks of the scores of windows."""
        return Ranks.fit(self.scores, np.repeat(np.arange(self.count), self.sizes))

    @cached_property
    def peaks(self) -> Ranks:
        """Ranks of the highest scores of segments."""
        firsts = np.concatenate([[0], np.cumsum(self.segments)[:-1]])
        highest: NDArray[np.float64] = np.maximum.reduceat(self.scores, firsts)
        return Ranks.fit(highest, np.repeat(np.arange(self.count), self.blocks))

    def halves(self) -> Iterator["Blocks"]:
        """The first half of the blocks in time, and the second half."""
        middle = self.count // 2
        segments = np.cumsum(np.concatenate([[0], self.blocks]))
        scores = np.cumsum(np.concatenate([[0], self.segments]))
        for first, end in pairwise((0, middle, self.count)):
            low, high = segments[first], segments[end]
            yield Blocks(
                self.scores[scores[low] : scores[high]],
                self.segments[low:high],
                self.blocks[first:end],
                self.steps,
            )


def dependence_steps(parts: Iterable[Sequence[Stretch]], stride: int) -> float:
    """Steps for which the scores of windows depend on each other, see `autocorrelation_time`.

    Args:
        parts: Stretches of all parts of the data. The more there are, the longer is the dependence
            that they can show: training windows tell as much about it as held-out ones.
        stride: Steps between the starts of neighbouring windows.
    """
    observed = [[one.observed().scores for one in part] for part in parts]
    held = [[scores for scores in part if len(scores)] for part in observed]
    return stride * autocorrelation_time(held)


def _segments(starts: NDArray[np.int64], steps: int, stride: int) -> list[int]:
    """Sizes of the segments of a stretch: none is shorter than `steps`, unless it is the only one.

    Args:
        starts: First step of each window (W,), ascending.
        steps: Steps of a segment.
        stride: Steps between the starts of neighbouring windows.
    """
    from_first = starts - starts[0]
    last = max(0, (int(from_first[-1]) + stride) // steps - 1)  # a rest belongs to the one before
    sizes = np.bincount((from_first // steps).clip(max=last))
    return sizes[sizes > 0].tolist()


def group_sums(values: NDArray[Any], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sums of groups of neighbouring values, of which each has at least one."""
    firsts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    sums: NDArray[np.int64] = np.add.reduceat(values.astype(np.int64), firsts)
    return sums
