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
    """Meaning of the numbers of categories and classes in series.

    Attributes:
        categories: By name of each categorical channel, its categories from number 1 on.
        classes: The classes from index 0 on.
    """

    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    classes: tuple[str, ...] = ()

    def sizes(self, channels: Sequence[str]) -> tuple[int, ...]:
        """Number of categories of each channel (C,), 0 for a numeric one."""
        return tuple(len(self.categories.get(name, ())) for name in channels)


def sorted_vocabulary(words: Iterable[str], field: str) -> tuple[str, ...]:
    """Distinct normalized words: in numeric order if all are numbers, else in alphabetical order.

    Raises:
        FieldError: If there are too many.
    """
    different = {normalize_word(word) for word in set(words)}
    require(
        len(different) <= MAX_WORDS,
        field,
        f"holds {len(different)} different entries, expected at most {MAX_WORDS}",
    )
    try:
        values = {word: float(word) for word in different}
    except ValueError:
        return tuple(sorted(different))
    if not all(map(math.isfinite, values.values())):
        return tuple(sorted(different))  # "nan" is a number without an order
    return tuple(sorted(different, key=lambda word: (values[word], word)))


def normalize_word(word: str) -> str:
    """One spelling of a whole number or a boolean.

    Whether a file says 1, 1.0 or true depends on the rest of the column and on its writer.
    """
    # One quantifier for all digits: two would backtrack through every split of a million zeros.
    if number := re.fullmatch(r"([-+]?)(\d+)(\.0*)?", word, re.ASCII):
        # Not int(), which refuses thousands of digits.
        sign, digits = number[1], number[2].lstrip("0") or "0"
        return digits if sign != "-" or digits == "0" else sign + digits
    return word.lower() if word.lower() in ("true", "false") else word


def word_codes(words: Sequence[str | None], vocabulary: Sequence[str]) -> NDArray[np.float64]:
    """Number of each word (N,), from 1 in order of the vocabulary; 0 if unknown, NaN if missing."""
    numbers = {word: i + 1 for i, word in enumerate(vocabulary)}
    number = {
        word: np.nan if word is None else numbers.get(normalize_word(word), 0)
        for word in set(words)
    }
    return np.array([number[word] for word in words], dtype=np.float64)
