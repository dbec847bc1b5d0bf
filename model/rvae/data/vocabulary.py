"""Words ⇄ numbers: the categories of channels, and classes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rvae.errors import require

__all__ = ["Vocabulary", "in_order", "numbered"]

# More words than this are names, not categories.
MOST_WORDS = 1000


@dataclass(frozen=True)
class Vocabulary:
    """What numbers in series stand for.

    Attributes:
        categories: By the name of each categorical channel, its categories from number 1 on.
        classes: The classes from index 0 on.
    """

    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    classes: tuple[str, ...] = ()

    def sizes(self, channels: Sequence[str]) -> tuple[int, ...]:
        """Number of categories of each channel (C,), 0 for a numeric one."""
        return tuple(len(self.categories.get(name, ())) for name in channels)


def in_order(words: Iterable[str], field: str) -> tuple[str, ...]:
    """Different words in the order of numbers where all of them are numbers, else of the alphabet.

    Raises:
        FieldError: If there are too many.
    """
    different = set(words)
    require(
        len(different) <= MOST_WORDS,
        field,
        f"holds {len(different)} different entries, of which {MOST_WORDS} can be told apart",
    )
    try:
        return tuple(sorted(different, key=lambda word: (float(word), word)))
    except ValueError:
        return tuple(sorted(different))


def numbered(words: Sequence[str | None], known: Sequence[str]) -> NDArray[np.float64]:
    """The number of each word (N,), the first known one being 1; 0 if unknown, NaN if missing."""
    numbers: dict[str | None, float] = {word: i + 1 for i, word in enumerate(known)}
    numbers[None] = np.nan
    return np.array([numbers.get(word, 0) for word in words], dtype=np.float64)
