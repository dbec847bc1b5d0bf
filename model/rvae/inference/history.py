"""What was done to a model after its training."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Recalibration"]


@dataclass(frozen=True)
class Recalibration:
    """A change of the calibration.

    Attributes:
        date: UTC date and time, in the form of ISO 8601.
        kind: "added" if the scores of the new data were added to those that were there before,
            "replaced" if they took their place.
        data: Name of the file of the new data; None if it was no file.
        windows: Windows of the new data.
        blocks: Independent blocks of them.
        false_alarms: Events that were judged false alarms, and count as normal.
        confirmed: Events that were confirmed, and were left out.
        unjudged: Events that nobody has judged, and were left out.
        asked_quantile: Quantile that was asked for, which may be more than the blocks can show.
        asked_alarms: Rate of events that was asked for instead of a quantile.
        quantile_before: Quantile of the threshold before.
        quantile: Quantile of the threshold.
        threshold_before: Threshold before.
        threshold: Threshold.
        version: Version of rvae.
    """

    date: str
    kind: Literal["added", "replaced"]
    data: str | None
    windows: int
    blocks: int
    false_alarms: int
    confirmed: int
    unjudged: int
    asked_quantile: float
    asked_alarms: str | None
    quantile_before: float
    quantile: float
    threshold_before: float
    threshold: float
    version: str
