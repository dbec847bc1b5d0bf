"""Promised and measured rates, in words."""

from collections.abc import Iterator

from rvae.config.alarms import SECONDS_PER_DAY, SECONDS_PER_WEEK, alarm_text
from rvae.evaluation.rates import Rate, Verdict
from rvae.evaluation.reliability import STEPS, Need, compare_halves, needs
from rvae.scoring.calibration import Calibration
from rvae.scoring.promise import share_text

__all__ = [
    "BROKEN",
    "VERDICT_WORDS",
    "check_sentences",
    "event_unit",
    "measured_text",
    "need_text",
    "number",
]

# Below this, a number is told as zero: of an interval's lower end no digit matters.
SMALL = 1e-4

VERDICT_WORDS: dict[Verdict, str] = {"kept": "kept", "possible": "by chance", "broken": "broken"}

BROKEN = (
    "Warning: chance does not explain that more is measured than promised. The data changes with "
    "time: let the threshold follow it (adapt), or calibrate on new data."
)


def event_unit(interval: float | None) -> tuple[str, float]:
    """The time that events are counted per, and the number of steps that it has."""
    return (
        (f"{STEPS:,} steps", STEPS) if interval is None else ("week", SECONDS_PER_WEEK / interval)
    )


def number(value: float) -> str:
    """Two digits, or all before the point."""
    if value < SMALL:
        return "0"
    return f"{value:.2g}" if value < 99.5 else f"{value:,.0f}"


def _percent(share: float) -> str:
    """A share in per cent, rounded."""
    return f"{number(100 * share)} %"


def measured_text(rate: Rate, steps: float | None = None) -> str:
    """A measured rate with its interval, "3.1 % (1.2 % to 6.5 %)".

    Args:
        rate: The rate.
        steps: Steps that events are counted per; if left out, the rate is a share.
    """
    values = (rate.measured, rate.low, rate.high)
    if steps is None:
        measured, low, high = map(_percent, values)
    else:
        measured, low, high = (number(steps * value) for value in values)
    return f"{measured} ({low} to {high})"


def need_text(need: Need, interval: float | None) -> str:
    """What a promise takes, "1 % of windows: 99 blocks, 3,168 steps (2.2 days), 2.1 times as …"."""
    if need.windows is not None:
        promise = f"{share_text(need.windows)} of windows"
    else:
        assert need.events is not None
        promise = alarm_text(need.events, interval)
    time = "" if interval is None else f" ({number(need.steps * interval / SECONDS_PER_DAY)} days)"
    return (
        f"{promise}: {need.blocks:,} blocks, {need.steps:,} steps{time} of held-out normal data, "
        f"{number(need.times)} times as many as now"
    )


def check_sentences(calibration: Calibration, interval: float | None) -> Iterator[str]:
    """How the first half of a calibration would have kept its promise in the second half.

    Args:
        calibration: Calibration of the model.
        interval: Seconds between steps; None if the data has no times.
    """
    level = compare_halves(calibration)
    if level is None:
        yield "Not checked: one block of held-out windows cannot be compared with another."
    else:
        unit, steps = event_unit(interval)
        yield (
            "Check: the first half of these blocks promises at most "
            f"{share_text(level.windows.promised)} of windows and "
            f"{number(steps * level.events.promised)} events per {unit}; measured in the second "
            f"half, with 95 % intervals: {measured_text(level.windows)} and "
            f"{measured_text(level.events, steps)}."
        )
        if level.verdict == "broken":
            yield BROKEN
    lacking = needs(calibration, interval)
    stricter = [
        next((need for need in lacking if (need.windows is None) == events), None)
        for events in (False, True)
    ]
    texts = [need_text(need, interval) for need in stricter if need is not None]
    if texts:
        yield f"Stricter promises take more: {'; '.join(texts)}."
