"""Rates of alarms, as users write them and as they are told."""

import math
import re

from rvae.errors import require

__all__ = [
    "ALARM_PATTERN",
    "SECONDS_PER_DAY",
    "SECONDS_PER_WEEK",
    "alarm_rate",
    "alarm_text",
    "require_alarms",
]

SECONDS = {
    "second": 1.0,
    "minute": 60.0,
    "hour": 3_600.0,
    "day": 86_400.0,
    "week": 604_800.0,
    "month": 30 * 86_400.0,
    "year": 365 * 86_400.0,
}
SECONDS_PER_DAY, SECONDS_PER_WEEK = SECONDS["day"], SECONDS["week"]
SHORT = {"s": "second", "min": "minute", "h": "hour", "d": "day"}
# A month is no unit to tell a time in: it has no certain length.
TOLD = ("second", "minute", "hour", "day", "week", "year")

NUMBER = r"(?:[1-9][0-9]{0,11}|[1-9][0-9]{0,2}(?:,[0-9]{3}){1,3})(?:\.[0-9]{1,6})?"
# The same in Python and in a JSON Schema.
ALARM_PATTERN = (
    r"([1-9][0-9]{0,5})(?: (?:event|alarm)s?)? per "
    rf"(?:({NUMBER}) ?)?(?:(step|{'|'.join(SECONDS)})s?|({'|'.join(SHORT)}))"
)
EXAMPLES = '"1 per week", "3 per 12h" or "1 per 10000 steps"'
SHOWN = 40  # characters of a text that is none

DIGITS = 3  # of a time that is told
ROUNDING = 1e-9


def alarm_rate(text: str, interval: float | None, steps: int, field: str) -> float:
    """A number of events per time, or per steps → events per step.

    Args:
        text: "1 per week", "2 per day", "3 per 12h", "1 per 3.2 days", "1 per 10000 steps".
        interval: Seconds between steps; None if the data has no times.
        steps: Steps in which at most one event begins.
        field: Name of the option.

    Raises:
        FieldError: If it is something else, per time where there are no times, or more events than
            can begin.
    """
    count, number, unit = _parts(text, field)
    rate = count / number
    if unit != "step":
        require(
            interval is not None,
            field,
            f"is {text!r}, but the training data has no times: give a number of steps, such as "
            '"1 per 10000 steps"',
        )
        assert interval is not None
        rate *= interval / SECONDS[unit]
    highest = alarm_text(1 / steps, interval, highest=True)
    require(
        rate * steps <= 1 + ROUNDING,
        field,
        f"is {text!r}, but no more than {highest} can begin: an event is as long as a window",
    )
    return rate


def require_alarms(text: str, field: str) -> None:
    """Raise a `FieldError` if the text is no rate of alarms."""
    _parts(text, field)


def alarm_text(per_step: float, interval: float | None, highest: bool = False) -> str:
    """Events per step → "1 event per 3.2 days (4,600 steps)", without the days if there are none.

    Args:
        per_step: Events per step, above 0.
        interval: Seconds between steps; None if the data has no times.
        highest: Whether it is the highest rate that can be asked for, so that times are rounded up.
            Else they are rounded down: a promise is true as it is told, and the lowest rate that
            can be asked for can be asked for as it is told.
    """
    steps = f"{_per(1 / per_step, 'step', highest, 0)}"
    if interval is None:
        return f"1 event per {steps}"
    seconds = interval / per_step
    # Two days and more are days: those between are told in hours.
    fitting = [
        unit for unit in TOLD if _is_one(seconds / SECONDS[unit]) or seconds >= 2 * SECONDS[unit]
    ]
    unit = fitting[-1] if fitting else TOLD[0]
    number = seconds / SECONDS[unit]
    decimals = max(0, DIGITS - 1 - math.floor(math.log10(number)))
    return f"1 event per {_per(number, unit, highest, decimals)} ({steps})"


def _parts(text: str, field: str) -> tuple[int, float, str]:
    """The number of events, and the number of units that they are per, and the unit."""
    text = str(text)  # a number, where no type was checked
    found = re.fullmatch(ALARM_PATTERN, text)
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    require(found is not None, field, f"is {shown!r}, expected a rate as {EXAMPLES}")
    assert found is not None
    count, number, unit, short = found.groups()
    return int(count), float((number or "1").replace(",", "")), unit or SHORT[short]


def _is_one(number: float) -> bool:
    return abs(number - 1) < ROUNDING


def _per(number: float, unit: str, up: bool, decimals: int) -> str:
    """A number of units, rounded up or down; the unit alone if it is one."""
    if _is_one(number):
        return unit
    scale: float = 10**decimals
    exact = number * scale
    whole = math.ceil(exact * (1 - ROUNDING)) if up else math.floor(exact * (1 + ROUNDING))
    return (
        f"{whole / scale:,.{decimals}f}".rstrip("0").rstrip(".") + f" {unit}s"
        if decimals
        else f"{whole:,} {unit}s"
    )
