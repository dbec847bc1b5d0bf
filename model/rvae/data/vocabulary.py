"""Words ⇄ numbers: the categories of channels, and classes."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rvae.errors import require

__all__ = ["Vocabulary", "normalize_word", "sorted_vocabulary", "word_codes"]

# More words than this are names, not categories.
MAX_WORDS = 1000


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


def sorted_vocabulary(words: Iterable[str], field: str) -> tuple[str, ...]:
    """Different normalized words: in the order of numbers if all of them are, else of the alphabet.

    Raises:
        FieldError: If there are too many.
    """
    different = {normalize_word(word) for word in set(words)}
    require(
        len(different) <= MAX_WORDS,
        field,
        f"holds {len(different)} different entries, of which {MAX_WORDS} can be told apart",
    )
    try:
        values = {word: float(word) for word in different}
    except ValueError:
        return tuple(sorted(different))
    if not all(map(math.isfinite, values.values())):
        return tuple(sorted(different))  # "nan" is a number that has no place among others
    return tuple(sorted(different, key=lambda word: (values[word], word)))


def normalize_word(word: str) -> str:
    """One spelling of a whole number or a truth value.

    What a file calls 1, 1.0 or true depends on what else is in the column, and on who wrote it.
    """
    # One quantifier for all digits: two would try every way to share out a million zeros.
    if number := re.fullmatch(r"([-+]?)(\d+)(\.0*)?", word, re.ASCII):
        # Not by int(), which refuses thousands of digits.
        sign, digits = number[1], number[2].lstrip("0") or "0"
        return digits if sign != "-" or digits == "0" else sign + digits
    return word.lower() if word.lower() in ("true", "false") else word


def word_codes(words: Sequence[str | None], known: Sequence[str]) -> NDArray[np.float64]:
    """The number of each word (N,), the first known one being 1; 0 if unknown, NaN if missing."""
    numbers = {word: i + 1 for i, word in enumerate(known)}
    number = {
        word: np.nan if word is None else numbers.get(normalize_word(word), 0)
        for word in set(words)
    }
    return np.array([number[word] for word in words], dtype=np.float64)
