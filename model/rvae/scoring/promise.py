"""What is promised about normal data, and what cannot be, in words."""

import math

from rvae.config.alarms import alarm_text
from rvae.scoring.calibration import Calibration

__all__ = ["limit_text", "promise_text", "share_text"]

DIGITS = 3
ROUNDING = 1e-9


def promise_text(calibration: Calibration, interval: float | None) -> str:
    """What the model's own threshold promises.

    Args:
        calibration: Calibration of the model.
        interval: Seconds between steps; None if the data has no times.
    """
    events = calibration.events_per_step(calibration.threshold())
    return (
        f"at most {share_text(1 - calibration.quantile)} of normal windows flagged, "
        f"and at most {alarm_text(events, interval)}"
    )


def limit_text(blocks: int, steps: int, interval: float | None) -> str:
    """The most that can be promised with some independent blocks of held-out windows.

    Args:
        blocks: Number of blocks.
        steps: Steps in which at most one event begins.
        interval: Seconds between steps; None if the data has no times.
    """
    smallest = 1 / (blocks + 1)
    events = alarm_text(smallest / steps, interval)
    return f"{share_text(smallest)} of normal windows flagged, or {events}"


def share_text(share: float) -> str:
    """A share in per cent, not rounded down."""
    percent = 100 * share
    scale: float = 10.0 ** (DIGITS - 1 - math.floor(math.log10(percent)))
    return f"{math.ceil(percent * scale * (1 - ROUNDING)) / scale:g} %"
