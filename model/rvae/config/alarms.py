"""Rates of alarms as users write them."""

import re

import numpy as np

from rvae.config.duration import duration
from rvae.errors import require

__all__ = ["alarm_rate", "require_alarms"]

# Names that people use for lengths of time, in the units of `duration`.
UNITS = {
    "second": "1s",
    "minute": "1min",
    "hour": "1h",
    "day": "1d",
    "week": "7d",
    "month": "30d",
    "year": "365d",
}
PATTERN = re.compile(r"\s*(\d{1,6})\s+per\s+(?:(\d{1,12})\s+steps?|([\w ]+?))\s*", re.ASCII)
EXAMPLES = '"1 per week", "3 per 12h" or "1 per 10000 steps"'


def alarm_rate(text: str, interval: float | None, field: str) -> float:
    """A number of events per time, or per steps → events per step.

    Args:
        text: "1 per week", "2 per day", "3 per 12h", "1 per 10000 steps".
        interval: Seconds between steps; None if the data has no times.
        field: Name of the option.

    Raises:
        FieldError: If it is something else, nothing, or per time where there are no times.
    """
    count, steps, time = _parts(text, field)
    if steps is not None:
        return count / steps
    require(
        interval is not None,
        field,
        f"is {text!r}, but the training data has no times: give a number of steps, such as "
        '"1 per 10000 steps"',
    )
    assert time is not None and interval is not None
    return count * interval / (time / np.timedelta64(1, "s"))


def require_alarms(text: str, field: str) -> None:
    """Raise a `FieldError` if the text is no rate of alarms."""
    _parts(text, field)


def _parts(text: str, field: str) -> tuple[int, int | None, np.timedelta64 | None]:
    """The number of events, and the steps or the time that they are per."""
    found = PATTERN.fullmatch(text)
    require(found is not None, field, f"is {text!r}, expected {EXAMPLES}")
    assert found is not None
    count, steps, time = found.groups()
    require(int(count) > 0, field, f"is {text!r}: must be more than none")
    if steps is not None:
        require(int(steps) > 0, field, f"is {text!r}: must be per at least one step")
        return int(count), int(steps), None
    return int(count), None, duration(UNITS.get(time, time), field)
