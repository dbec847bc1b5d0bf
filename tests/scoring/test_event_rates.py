"""Events in fresh normal data are as rare as a rate of alarms promises."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from rvae.scoring.blocks import Blocks, Stretch, dependence_steps
from rvae.scoring.calibration import Calibration

Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]


def white(random: np.random.Generator, steps: int) -> NDArray[np.float64]:
    return random.normal(size=steps)


def coloured(random: np.random.Generator, steps: int) -> NDArray[np.float64]:
    """An autoregressive process whose values depend on each other for about ten steps."""
    return lfilter([1.0], [1.0, -0.8], random.normal(size=steps + 100))[100:]


def heavy(random: np.random.Generator, steps: int) -> NDArray[np.float64]:
    return random.standard_t(2, size=steps)


def scored(
    draw: Draw, random: np.random.Generator, steps: int, window: int, stride: int
) -> Stretch:
    """Mean squares of the windows of a normal series."""
    sums = np.concatenate([[0.0], np.cumsum(draw(random, steps) ** 2)])
    starts = np.arange(0, steps - window + 1, stride)
    return Stretch((sums[starts + window] - sums[starts]) / window, starts)


def events(flagged: NDArray[np.int64], reach: int) -> int:
    """Clusters of flagged windows by their first steps, of which neighbours are within reach."""
    return int((np.diff(flagged) > reach).sum()) + min(1, len(flagged))


# How the windows lie, the series for calibration, and the promised events in a segment of steps.
CASES = {
    "stride 1": (10, 1, [600], 0.1),
    "stride": (10, 4, [600], 0.1),
    "gaps between windows": (10, 25, [1500], 0.1),
    "several series": (10, 1, [205, 150, 95, 170], 0.1),
    "at the limit": (10, 2, [300], 1 / 31),
    "less than a window apart": (20, 19, [1200], 0.05),
}


@pytest.mark.parametrize("draw", [white, coloured, heavy])
@pytest.mark.parametrize("case", CASES)
def test_events_are_at_most_as_frequent_as_promised(draw: Draw, case: str) -> None:
    """On average over calibrations; each has a rate of its own."""
    window, stride, lengths, share = CASES[case]
    steps = max(window, stride)
    random = np.random.default_rng(7)
    rates, merged = [], []
    for _ in range(100):
        held = [scored(draw, random, length, window, stride) for length in lengths]
        blocks = Blocks.fit(held, window, stride, dependence_steps([held], stride))
        calibration = Calibration.fit(blocks, 0.5)
        rate = max(share / steps, calibration.fewest_events_per_step)
        threshold = calibration.threshold_of_events(rate)
        assert calibration.events_per_step(threshold) <= rate * (1 + 1e-9)
        # What is served is the quantile of the threshold.
        assert calibration.threshold(calibration.quantile_of(threshold)) == threshold
        fresh = [scored(draw, random, 40 * steps, window, stride) for _ in range(2)]
        found = [one.starts[one.scores > threshold] for one in fresh]
        counts = [sum(events(one, window + gap) for one in found) for gap in (0, stride, 30)]
        assert counts == sorted(counts, reverse=True)  # a larger gap only merges
        rates.append(counts[0] / (80 * steps * rate))
        merged.append(counts[1] / (80 * steps * rate))
    error = np.std(rates) / np.sqrt(len(rates))
    assert np.mean(merged) <= np.mean(rates) <= 1 + 4 * error
    # The promise is no empty one, where nothing depends on what was before.
    if draw is white:
        assert np.mean(rates) > 0.4
