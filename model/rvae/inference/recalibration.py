"""New normal data, or judged events → another calibration of the same model, without training."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae._version import __version__
from rvae.config.alarms import alarm_rate
from rvae.data.judged_events import JudgedEvent, without_events
from rvae.data.series import Series
from rvae.data.text_files import file_name
from rvae.data.windows import normal_stretches
from rvae.errors import require
from rvae.inference.artifact import Artifact
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from rvae.inference.history import Recalibration
from rvae.inference.runner import MAX_SCORES, residual_windows
from rvae.scoring.bands import Bands
from rvae.scoring.blocks import Blocks, dependence_steps
from rvae.scoring.calibration import Calibration

__all__ = ["Recalibrated", "Request", "name_of", "recalibrate"]

# Scores that are kept after many recalibrations: a few megabytes.
MAX_KEPT = 4 * MAX_SCORES

# Standard deviations of an interval of 95 percent.
SPREAD = 1.96


@dataclass(frozen=True)
class Request:
    """What the threshold is asked to keep.

    Attributes:
        quantile: Quantile of normal scores; what was asked for before if None.
        alarms: Rate of events in normal data instead, as "1 per week".
    """

    quantile: float | None = None
    alarms: str | None = None


@dataclass(frozen=True)
class Recalibrated:
    """A model with another calibration, and how the new data scored.

    Attributes:
        artifact: The model.
        change: The last entry of its history.
        above_before: Share of the new windows above the threshold before, each block with the same
            weight; and the ends of an interval of 95 percent for it.
        still_flagged: By verdict the number of judged events with a window above the threshold.
    """

    artifact: Artifact
    change: Recalibration
    above_before: tuple[float, float, float]
    still_flagged: Mapping[str, int]

    @property
    def differs(self) -> bool:
        """Whether the new data exceeds the threshold before more often than it promised."""
        return self.above_before[1] > 1 - self.change.quantile_before


def recalibrate(
    engine: Engine,
    artifact: Artifact,
    series: Sequence[Series],
    events: Sequence[JudgedEvent] | None = None,
    request: Request = Request(),
    replacing: bool = False,
    source: str | None = None,
) -> Recalibrated:
    """Calibrate a model again, with the scores of new normal data.

    Steps that are labelled as anomalous are left out, and so are events that were not judged false
    alarms, with the windows that touch them. All other windows are taken as normal, however high
    they score: the contamination of the training is not assumed here.

    The promise is about windows that are exchangeable with all blocks, the old and the new ones: if
    the data has changed for good, the old ones are to be replaced.

    Args:
        engine: The model at work.
        artifact: The model.
        series: New data, which was read like the training data.
        events: Events in it that were judged; None if all that is not labelled is normal.
        request: What the threshold is asked to keep.
        replacing: Whether the new scores take the place of the old ones, instead of being added.
        source: Name of the data in the history.

    Raises:
        FieldError: If there is no normal window in the data, the data does not fit the model, or
            the request is not valid or more than the blocks can show.
    """
    card, old = artifact.card, artifact.card.calibration
    for one in series:
        engine.check(one)
    blocks, bands = _held_out(engine, _normal(series, events or (), card), old.blocks)
    asked = _asked(card, request)
    calibration = _calibration(card, blocks, asked, replacing)
    _require_kept(calibration, card, request)
    verdicts = [event.verdict for event in events or ()]
    change = Recalibration(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        kind="replaced" if replacing else "added",
        data=source,
        windows=len(blocks.scores),
        blocks=blocks.count,
        false_alarms=verdicts.count("false alarm"),
        confirmed=verdicts.count("confirmed"),
        unjudged=verdicts.count(None),
        asked_quantile=asked.quantile or calibration.quantile,
        asked_alarms=asked.alarms,
        quantile_before=old.quantile,
        quantile=calibration.quantile,
        threshold_before=old.threshold(),
        threshold=calibration.threshold(),
        version=__version__,
    )
    found = replace(
        card,
        calibration=calibration,
        bands=bands if replacing else card.bands.joined(bands),
        history=(*card.history, change),
    )
    return Recalibrated(
        replace(artifact, card=found),
        change,
        _share_above(blocks, old.threshold()),
        _still_flagged(engine, series, events or (), calibration.threshold()),
    )


def name_of(source: Any) -> str | None:
    """Name of data in the history of a model: that of its file, without its folder."""
    return file_name(Path(source)) if isinstance(source, str | Path) else None


def _normal(series: Sequence[Series], events: Iterable[JudgedEvent], card: Card) -> list[Series]:
    """Stretches of at least a window in which all is normal."""
    normal = normal_stretches(
        without_events(series, events, card.window), card.window, card.stride, at_end=True
    )
    require(
        bool(normal),
        "data",
        f"holds no window of {card.window} steps without an anomaly: give more data",
    )
    return normal


def _held_out(engine: Engine, normal: Sequence[Series], old: Blocks) -> tuple[Blocks, Bands]:
    """Blocks of the scores of new data, and bands by its residuals."""
    card, runner = engine.card, engine.runner
    windows = engine.windows(normal, card.stride)
    stretches = runner.stretches(windows, MAX_SCORES)
    require(
        any(not np.isnan(one.scores).all() for one in stretches),
        "data",
        "holds no window with a value",
    )
    # Little data cannot show for how long scores depend on each other: the old data may tell.
    known = old.steps * float(np.median(old.blocks))
    time = max(known, dependence_steps([stretches], card.stride))
    blocks = Blocks.fit(stretches, card.window, card.stride, time)
    residuals = runner.residuals(windows, residual_windows(card))
    return blocks, Bands.fit((values for values, _ in residuals), blocks.count)


def _asked(card: Card, request: Request) -> Request:
    """What is asked for now, or was asked for at last."""
    if request.quantile is not None or request.alarms is not None:
        require(
            request.quantile is None or request.alarms is None,
            "alarms",
            "cannot be combined with a quantile: either defines the threshold",
        )
        return request
    if card.history:
        return Request(card.history[-1].asked_quantile, card.history[-1].asked_alarms)
    options = card.training.get("options", {})
    return Request(options.get("quantile", card.calibration.quantile), options.get("alarms"))


def _calibration(card: Card, blocks: Blocks, asked: Request, replacing: bool) -> Calibration:
    old = card.calibration
    # What was left out as contamination is not there any more, and has a smaller share now.
    left_out = old.contamination / (1 - old.contamination) * len(old.scores)
    kept = blocks if replacing else old.blocks.joined(blocks)
    share = 0.0 if replacing else left_out / (left_out + len(kept.scores))
    rate = None
    if asked.alarms is not None:
        rate = alarm_rate(asked.alarms, card.interval, old.blocks.steps, "alarms")
    quantile = old.quantile if asked.quantile is None else asked.quantile
    require(0 < quantile < 1, "quantile", f"must be between 0 and 1, got {quantile}")
    found = Calibration.fit(kept.at_most(MAX_KEPT), quantile, rate)
    return replace(found, contamination=share)


def _require_kept(calibration: Calibration, card: Card, request: Request) -> None:
    """Raise a `FieldError` if more is asked for now than the blocks can show."""
    if request.quantile is not None:
        calibration.threshold(request.quantile)
    if request.alarms is not None:
        rate = alarm_rate(request.alarms, card.interval, calibration.blocks.steps, "alarms")
        calibration.threshold_of_events(rate, card.interval)


def _share_above(blocks: Blocks, threshold: float) -> tuple[float, float, float]:
    """Share of windows above a threshold, and an interval for it.

    It is that of Wilson 1927, "Probable inference, the law of succession, and statistical
    inference", as if the windows of a block were all above or all below: the widest case.
    """
    ranks, count = blocks.windows, blocks.count
    share = float(ranks.weights[ranks.values > threshold].sum())
    z = SPREAD**2 / count
    centre = (share + z / 2) / (1 + z)
    half = np.sqrt(z * share * (1 - share) + z**2 / 4) / (1 + z)
    return share, max(0.0, centre - half), min(1.0, centre + half)


def _still_flagged(
    engine: Engine, series: Sequence[Series], events: Sequence[JudgedEvent], threshold: float
) -> Mapping[str, int]:
    """By verdict the number of judged events that a window above a threshold touches."""
    around = [_around(series[event.series], event, engine.card) for event in events]
    if not around:
        return Counter[str]()
    windows = engine.windows(around, engine.card.stride)
    highest = [_highest(one.scores) for one in engine.runner.stretches(windows, len(windows))]
    return Counter[str](
        event.verdict
        for event, score in zip(events, highest, strict=True)
        if event.verdict is not None and score > threshold
    )


def _around(series: Series, event: JudgedEvent, card: Card) -> Series:
    """The stretch of the windows that touch an event."""
    first = max(0, event.start - card.window + 1)
    first = min(-(-first // card.stride) * card.stride, len(series) - card.window)
    return series.part(
        first, max(first + card.window, min(len(series), event.end + card.window - 1))
    )


def _highest(scores: NDArray[np.float64]) -> float:
    """The highest score; minus infinity if nothing was observed."""
    return float(np.where(np.isnan(scores), -np.inf, scores).max())
