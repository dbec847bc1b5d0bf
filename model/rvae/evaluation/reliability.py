"""Promised rates of flags and events, compared with those on normal scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvae.config.alarms import SECONDS_PER_DAY, SECONDS_PER_WEEK
from rvae.evaluation.rates import VERDICTS, Rate, Verdict
from rvae.scoring.blocks import Blocks, Stretch, dependence_steps, group_sums
from rvae.scoring.calibration import Calibration
from rvae.scoring.ranks import blocks_needed

__all__ = [
    "QUANTILES",
    "STEPS",
    "Level",
    "Need",
    "Reliability",
    "compare",
    "compare_halves",
    "event_begins",
    "needs",
]

# Those that are compared beside the model's own.
QUANTILES = (0.95, 0.98, 0.99, 0.999)

ROUNDING = 1e-9
DIGITS = 12  # of a share that is 1 - quantile
STEPS = 10_000  # of the rate of events that is usual where there are no times


@dataclass(frozen=True)
class Level:
    """A threshold, and how often normal scores exceed it.

    Attributes:
        quantile: Its quantile.
        threshold: The threshold.
        windows: Share of windows that are flagged.
        events: Events that begin in a step.
    """

    quantile: float
    threshold: float
    windows: Rate
    events: Rate

    @property
    def verdict(self) -> Verdict:
        """The worse one of windows and events."""
        return max((self.windows.verdict, self.events.verdict), key=VERDICTS.index)


@dataclass(frozen=True)
class Reliability:
    """How a model keeps its promises on normal data.

    Attributes:
        levels: Thresholds, the model's own first.
        band: Share of values beyond their band; None without a band.
        smallest: The smallest share of windows that is promised.
        fewest: The lowest rate of events in a step that is promised.
        needs: What stricter promises take.
        interval: Seconds between steps; None if the data has no times.
    """

    levels: tuple[Level, ...]
    band: Rate | None
    smallest: float
    fewest: float
    needs: tuple["Need", ...]
    interval: float | None


@dataclass(frozen=True)
class Need:
    """What a promise takes that the calibration cannot give.

    Attributes:
        windows: Share of windows that are to be flagged, at the most; None if it is about events.
        events: Events in a step, at the most; None if it is about windows.
        blocks: Number of independent blocks that it takes.
        steps: Steps of held-out normal data that these blocks have.
        times: How many times the held-out data of the calibration that is.
    """

    windows: float | None
    events: float | None
    blocks: int
    steps: int
    times: float


def compare(
    calibration: Calibration, stretches: Sequence[Stretch], window: int, stride: int
) -> list[Level]:
    """Compare what a calibration promises with fresh scores.

    The scores are cut in blocks like those of the calibration, or longer ones if they depend on
    each other for longer. Blocks are what intervals count as independent.

    Args:
        calibration: The calibration.
        stretches: Scores of normal windows that are no part of the calibration, NaN where a window
            is to be left out; at least one is not.
        window: Time steps T.
        stride: Steps between the starts of neighbouring windows.

    Returns:
        The model's own threshold, and those of the `QUANTILES` that the calibration can show.
    """
    time = max(calibration.blocks.mean_steps, dependence_steps([stretches], stride))
    blocks = Blocks.fit(stretches, window, stride, time)
    observed = [one for one in map(Stretch.observed, stretches) if len(one.scores)]
    sizes = blocks.sizes
    # Events are counted as they begin, and not as segments that have one: it may lie in two.
    exposure = sizes * _segments_per_window(observed, sizes, stride / calibration.blocks.steps)
    carried = [q for q in QUANTILES if q <= calibration.largest_quantile + ROUNDING]
    others = [q for q in carried if abs(q - calibration.quantile) > ROUNDING]
    found = []
    for quantile in (calibration.quantile, *others):
        threshold = calibration.threshold(quantile)
        begins = np.concatenate([event_begins(one, threshold, window) for one in observed])
        flagged = group_sums(blocks.scores > threshold, sizes)
        events = group_sums(begins, sizes)
        found.append(
            _level(
                calibration,
                quantile,
                (flagged, sizes),
                (events, np.maximum(events, exposure)),
            )
        )
    return found


def compare_halves(calibration: Calibration) -> Level | None:
    """Compare what the first half of a calibration would promise with its second half.

    It shows whether the data has changed in the meantime, with what `rvae fit` has at hand. Events
    are counted as segments with a flagged window: those that lie in two count twice.

    Returns:
        The threshold of the model's own quantile, or of the highest that half the blocks can show;
        None if there is only one block.
    """
    if calibration.blocks.count < 2:
        return None
    first, second = calibration.blocks.halves()
    earlier = Calibration.fit(first, calibration.quantile)
    flagged = second.scores > earlier.threshold()
    segments = group_sums(flagged, second.segments) > 0
    return _level(
        earlier,
        earlier.quantile,
        (group_sums(flagged, second.sizes), second.sizes),
        (group_sums(segments, second.blocks), second.blocks),
    )


def needs(calibration: Calibration, interval: float | None) -> list[Need]:
    """What usual promises take that a calibration cannot give.

    A share of windows as small as 1 / (K + 1) takes K blocks, and so do as few events as one in
    K + 1 window lengths.

    Args:
        calibration: The calibration.
        interval: Seconds between steps; None if the data has no times. With times the usual rates
            of events are one in a day and one in a week, else one in 10,000 steps.
    """
    blocks = calibration.blocks
    rates = (
        [1 / STEPS]
        if interval is None
        else [interval / SECONDS_PER_DAY, interval / SECONDS_PER_WEEK]
    )
    shares = [(round(1 - q, DIGITS), round(1 - q, DIGITS), None) for q in QUANTILES]
    events = [(rate * blocks.steps, None, rate) for rate in rates]
    found = []
    for probability, of_windows, of_events in (*shares, *events):
        count = blocks_needed(probability)
        if count > blocks.count:
            steps = round(count * blocks.mean_steps)
            found.append(Need(of_windows, of_events, count, steps, count / blocks.count))
    return found


def event_begins(stretch: Stretch, threshold: float, window: int) -> NDArray[np.bool_]:
    """Whether an event begins with each window (W,) of a stretch, none of whose scores is NaN.

    Windows above the threshold that are at most T steps apart belong to one event.
    """
    begins = stretch.scores > threshold
    begins[begins] = np.diff(stretch.starts[begins], prepend=-np.inf) > window
    return begins


def _segments_per_window(
    stretches: Sequence[Stretch], sizes: NDArray[np.int64], share: float
) -> NDArray[np.float64]:
    """How many of the calibration's segments a window of each block (K,) stands for.

    It is the share of a segment between the starts of two windows. But a series that is too short
    for a segment is one all the same, as in the calibration: a single window is as long as that.

    Args:
        stretches: The stretches, whose every window has a score.
        sizes: Number of windows of each block (K,), of which none lies in two stretches.
        share: Steps between the starts of neighbouring windows, in segments.
    """
    windows = np.array([len(one.scores) for one in stretches])
    owners = np.searchsorted(windows.cumsum(), sizes.cumsum())
    return np.maximum(share, 1 / windows)[owners]


def _level(
    calibration: Calibration,
    quantile: float,
    windows: tuple[NDArray[np.int64], NDArray[np.int64]],
    events: tuple[NDArray[np.int64], NDArray[np.int64] | NDArray[np.float64]],
) -> Level:
    """The rates of a quantile, from hits and trials of blocks."""
    threshold, count = calibration.threshold(quantile), calibration.blocks.count
    steps = calibration.blocks.steps
    per_segment = calibration.events_per_step(threshold) * steps
    return Level(
        quantile,
        threshold,
        Rate.measure(round(1 - quantile, DIGITS), *windows, count),
        Rate.measure(per_segment, *events, count).per(steps),
    )
