"""A change of a calibration, as the history of a model has it."""

from rvae.inference.history import Recalibration

__all__ = ["CHANGE"]

CHANGE = Recalibration(
    date="2026-01-02T03:04:05+00:00",
    kind="added",
    data="new.csv",
    windows=240,
    blocks=12,
    false_alarms=3,
    confirmed=1,
    unjudged=0,
    asked_quantile=0.98,
    asked_alarms=None,
    quantile_before=0.95,
    quantile=0.98,
    threshold_before=1.5,
    threshold=2.5,
    version="0.1.0",
)
