import re

import pytest

from rvae.config.alarms import ALARM_PATTERN, alarm_rate, alarm_text, require_alarms
from rvae.errors import FieldError

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@pytest.mark.parametrize(
    ("text", "interval", "steps"),
    [
        ("1 per 10000 steps", None, 10_000),
        ("1 per 10,000 steps", None, 10_000),
        ("2 per 10000 steps", MINUTE, 5_000),
        ("1 per week", MINUTE, 10_080),
        ("2 per day", HOUR, 12),
        ("3 per 12h", MINUTE, 240),
        ("3 events per 12 hours", MINUTE, 240),
        ("1 event per 3.5 days", HOUR, 84),
        ("1 alarm per 90 min", MINUTE, 90),
        ("7 per 2 weeks", DAY, 2),
        ("1 per year", DAY, 365),
    ],
)
def test_rates_are_per_step(text: str, interval: float | None, steps: int) -> None:
    assert alarm_rate(text, interval, 2, "alarms") == pytest.approx(1 / steps, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "weekly", "per week", "1 per", "1 per fortnight", "1 a week", "1 per -3 steps"),
        *("0 per week", "1 per 0 steps", "1 per 0.0 days", "-1 per week", "1.5 per week"),
        *(
            "١ per week",
            "１ per week",
            "1 per ３ days",
            "1 per\u00a0week",
            "1 per week\n",
            "1\tper week",
        ),
        *("1e3 per week", "1 per 1e9 steps", "1 per inf days", "nan per week", "1_0 per week"),
        *("1 per 1,00 steps", "1 per 1234,567 steps", "1 per ms", "1 per 10000 steps; drop"),
        *("1" * 7 + " per week", "1 per " + "9" * 13 + " steps", "1 per " + "9" * 10**6),
        *("1 per " + " " * 10**6, "1 per " + "a" * 10**6, "1" + " per" * 10**5),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_rate_is_said_in_a_short_line(text: str) -> None:
    with pytest.raises(FieldError, match='expected a rate as "1 per week"') as caught:
        require_alarms(text, "training.alarms")
    assert caught.value.field == "training.alarms"
    assert len(caught.value.message) < 400
    assert text.endswith("\n") or not re.search(
        rf"^{ALARM_PATTERN}$", text
    )  # as a JSON Schema does


def test_a_rate_per_time_needs_times() -> None:
    with pytest.raises(FieldError, match="'1 per week', but the training data has no times"):
        alarm_rate("1 per week", None, 10, "alarms")


def test_no_more_events_than_begin_are_taken() -> None:
    assert alarm_rate("1 per 10 steps", None, 10, "alarms") == 0.1
    with pytest.raises(FieldError, match="no more than 1 event per 10 minutes"):
        alarm_rate("1 per 9 steps", MINUTE, 10, "alarms")
    with pytest.raises(FieldError, match=r"no more than 1 event per 10 steps can begin"):
        alarm_rate("999999 per step", None, 10, "alarms")


@pytest.mark.parametrize(
    ("steps", "interval", "lowest", "highest"),
    [
        (4600, None, "4,600 steps", "4,600 steps"),
        (4600, MINUTE, "3.19 days (4,600 steps)", "3.2 days (4,600 steps)"),
        (10_080, MINUTE, "week (10,080 steps)", "week (10,080 steps)"),
        (1440, MINUTE, "day (1,440 steps)", "day (1,440 steps)"),
        (2000, MINUTE, "33.3 hours (2,000 steps)", "33.4 hours (2,000 steps)"),
        (4600.5, None, "4,600 steps", "4,601 steps"),
        (20_000, DAY, "54.7 years (20,000 steps)", "54.8 years (20,000 steps)"),
        (7, 0.01, "0.07 seconds (7 steps)", "0.07 seconds (7 steps)"),
    ],
)
def test_rates_are_told_in_a_unit_that_fits(
    steps: float, interval: float | None, lowest: str, highest: str
) -> None:
    assert alarm_text(1 / steps, interval) == f"1 event per {lowest}"
    assert alarm_text(1 / steps, interval, highest=True) == f"1 event per {highest}"


@pytest.mark.parametrize("highest", [False, True])
@pytest.mark.parametrize("interval", [None, 0.5, MINUTE, HOUR, DAY])
@pytest.mark.parametrize("steps", [12, 130, 1001, 4_617, 12_345, 98_765, 1_234_567])
def test_a_limit_that_is_told_can_be_asked_for(
    steps: int, interval: float | None, highest: bool
) -> None:
    """More events are asked for than the lowest limit, and fewer than the highest."""
    told = alarm_text(1 / steps, interval, highest=highest)
    time, _, counted = told.partition(" (")
    excess = alarm_rate(time, interval, 1, "alarms") - 1 / steps
    assert excess <= 1e-9 / steps if highest else excess >= -1e-9 / steps
    assert alarm_rate(time, interval, 1, "alarms") == pytest.approx(1 / steps, rel=0.01)
    if counted:
        exact = alarm_rate(f"1 per {counted.rstrip(')')}", interval, 1, "alarms")
        assert exact == pytest.approx(1 / steps)
