"""Lengths of time as users write them."""

import re

import numpy as np

from rvae.errors import require

__all__ = ["duration", "duration_text", "round_duration"]

MICROSECONDS = {
    "ms": 1_000,
    "s": 1_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
# Lengths of which people make grids.
ROUND = {
    "ms": (1, 2, 5, 10, 20, 50, 100, 200, 500),
    "s": (1, 2, 5, 10, 15, 20, 30),
    "min": (1, 2, 5, 10, 15, 20, 30),
    "h": (1, 2, 3, 4, 6, 8, 12),
    "d": (1, 7, 30, 365),
}

# The calendar of numpy ends earlier.
MAX_DAYS = 36_525


def duration(text: str, field: str) -> np.timedelta64:
    """A whole number and a unit, "30s", "1min", "1h" or "1d" → microseconds.

    Raises:
        FieldError: If it is something else, nothing, or longer than a century.
    """
    found = re.fullmatch(rf"\s*(\d{{1,9}})\s*({'|'.join(MICROSECONDS)})\s*", text, re.ASCII)
    length = int(found[1]) * MICROSECONDS[found[2]] if found else 0
    require(
        0 < length <= MAX_DAYS * MICROSECONDS["d"],
        field,
        f"is {text!r}, expected a number and a unit: 500ms, 30s, 1min, 1h or 1d",
    )
    return np.timedelta64(length, "us")


def duration_text(length: np.timedelta64) -> str:
    """A length in its largest unit that leaves a whole number, at least a millisecond."""
    microseconds = int(length / np.timedelta64(1, "us"))
    for unit, size in reversed(MICROSECONDS.items()):
        if microseconds % size == 0:
            return f"{microseconds // size}{unit}"
    return f"{max(1, round(microseconds / MICROSECONDS['ms']))}ms"


def round_duration(length: np.timedelta64) -> str:
    """The length in everyday use that is closest by its ratio to this one."""
    microseconds = length / np.timedelta64(1, "us")
    usual = {
        f"{n}{unit}": n * MICROSECONDS[unit] for unit, numbers in ROUND.items() for n in numbers
    }
    return min(usual, key=lambda text: abs(np.log(usual[text] / microseconds)))
