from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from rvae.data.intervals import intervals
from rvae.data.windows import window_starts
from rvae.errors import FieldError
from rvae.inference.engine import Engine
from rvae.scoring.aggregation import step_scores
from rvae.scoring.calibration import Calibration
from rvae.scoring.events import PERSISTENT, Event, find_events, steps_in_events
from rvae.scoring.evidence import Placement

WINDOW = 20
NAMES = ("heat", "speed", "load", "noise")


class Limit:
    """A calibration with a given threshold."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold

    def threshold(self) -> float:
        return self._threshold

    def severity(self, scores: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(scores) / self._threshold

    def tail_probability(self, scores: ArrayLike) -> NDArray[np.float64]:
        return np.exp(-np.asarray(scores))


def limit(threshold: float) -> Calibration:
    return cast(Calibration, Limit(threshold))


@dataclass(frozen=True)
class Errors:
    """Squared errors of steps (N,), and scores of channels there (N, C)."""

    steps: NDArray[np.float64]
    channels: NDArray[np.float64]
    placement: Placement

    def step_evidence(self, first: int, last: int) -> NDArray[np.float64]:
        starts = self.placement.starts
        return self.steps[starts[first] : starts[last] + self.placement.window]

    def channels_at(self, step: int) -> NDArray[np.float64]:
        return self.channels[step]


@dataclass(frozen=True)
class Simulated:
    """Noise with anomalies, and the mean squares of its windows as their scores."""

    values: NDArray[np.float64]
    stride: int
    threshold: float

    @property
    def placement(self) -> Placement:
        length = len(self.values)
        return Placement(window_starts(length, WINDOW, self.stride), WINDOW, length)

    @property
    def scores(self) -> NDArray[np.float64]:
        before = np.concatenate([[0], np.cumsum(self.values**2)])
        starts = self.placement.starts
        return (before[starts + WINDOW] - before[starts]) / WINDOW

    def events(self, thresholds: float | NDArray[np.float64] | None = None) -> list[Event]:
        errors = Errors(self.values**2, self.values[:, None] ** 2, self.placement)
        limits = self.threshold if thresholds is None else thresholds
        return find_events(
            self.scores,
            limits,
            self.placement,
            errors,
            ["heat"],
            limit(self.threshold),
            self.stride,
        )


def noise(*anomalies: range, length: int = 800, stride: int = 1, seed: int = 0) -> Simulated:
    """Noise of unit variance with anomalies of twelve times its spread."""
    random = np.random.default_rng(seed)
    values = random.normal(size=length)
    for steps in anomalies:
        values[steps.start : steps.stop] += 12 * random.choice([-1, 1], len(steps))
    # No window of 20 squares of standard normals in 100,000 has a mean above it.
    return Simulated(values, stride, 2.7)


@pytest.mark.parametrize("stride", [1, 3, WINDOW])
@pytest.mark.parametrize("width", [1, 12, WINDOW, 5 * WINDOW])
def test_an_anomaly_of_any_width_is_found_where_it_is(width: int, stride: int) -> None:
    found = []
    for seed in range(20):
        (event,) = noise(range(301, 301 + width), stride=stride, seed=seed).events()
        assert 301 <= event.peak < 301 + width
        found.append((event.start - 301, event.end - 301 - width))
    # Between windows that are a stride apart, some steps of noise have enough evidence.
    assert np.abs(found).max() <= stride


def test_the_union_of_its_windows_would_be_far_wider() -> None:
    simulated = noise(range(300, 312))
    (event,) = simulated.events()
    assert 10 <= event.end - event.start <= 14
    placement = simulated.placement
    above, thresholds = step_scores(
        simulated.scores, simulated.threshold, placement.starts, WINDOW, placement.length
    )
    starts, ends = intervals(above > thresholds)
    assert (ends - starts).max() >= 30


def test_anomalies_less_than_two_windows_apart_are_one_event() -> None:
    for apart, count in ((WINDOW, 1), (2 * WINDOW - 4, 1), (2 * WINDOW + 4, 2), (99, 2)):
        first, second = range(300, 305), range(305 + apart, 310 + apart)
        events = noise(first, second).events()
        assert len(events) == count
        assert abs(events[0].start - 300) <= 2
        assert abs(events[-1].end - second.stop) <= 2


def test_anomalies_at_the_ends_of_the_series() -> None:
    for seed in range(10):
        first, last = noise(range(0, 4), range(795, 800), stride=3, seed=seed).events()
        assert first.start <= 1 and abs(first.end - 4) <= 3
        assert abs(last.start - 795) <= 3 and last.end >= 799


def test_a_series_of_one_window_tells_where_in_it() -> None:
    (event,) = noise(range(15, 20), length=WINDOW).events()
    assert 12 <= event.start <= 15 and event.end == 20
    # An anomaly of the window as a whole is the window as a whole.
    (event,) = noise(range(0, 20), length=WINDOW).events()
    assert (event.start, event.end) == (0, WINDOW)


def test_a_long_anomaly_with_one_far_worse_step_remains_long() -> None:
    simulated = noise(range(300, 400))
    simulated.values[350] = 200
    (event,) = simulated.events()
    assert event.peak == 350 and event.end - event.start >= 99 - 2 * WINDOW


def test_an_event_tells_what_it_is_about() -> None:
    channels = np.full((5, 4), 9.0)
    channels[3] = [np.nan, 1, 3, 2]
    placement = Placement(np.array([0, 1, 2]), 3, 5)
    errors = Errors(np.array([0, 0, 1.0, 3.0, 0]), channels, placement)
    scores = np.array([0.5, 1.5, 1.8])
    (event,) = find_events(scores, 1.0, placement, errors, NAMES, limit(1.0), 0)
    leading = (("load", 3.0), ("noise", 2.0), ("speed", 1.0))
    assert event == Event(3, 4, 3, 1.8, 1.8, leading, float(np.exp(-1.8)), False)


def test_where_no_step_is_known_an_event_has_its_bounds_and_no_channel() -> None:
    placement = Placement(np.array([0, 1, 2]), 3, 5)
    errors = Errors(np.full(5, np.nan), np.full((5, 4), np.nan), placement)
    scores = np.array([0.5, 1.5, 0.5])
    (event,) = find_events(scores, 1.0, placement, errors, NAMES, limit(1.0), 0)
    assert (event.start, event.end, event.peak, event.channels) == (1, 4, 1, ())


@pytest.mark.parametrize("stride", [1, 3])
def test_a_new_level_is_persistent_and_an_anomaly_is_not(stride: int) -> None:
    anomaly = range(100, 100 + (PERSISTENT - 2) * WINDOW)
    change = range(300, 300 + (PERSISTENT + 1) * WINDOW)
    simulated = noise(anomaly, change, stride=stride)
    assert [event.persistent for event in simulated.events()] == [False, True]
    # It is not known to last if the series ends.
    ended = noise(range(300, 395), length=395, stride=stride)
    assert [event.persistent for event in ended.events()] == [False]


def test_a_change_that_the_threshold_has_learnt_is_persistent() -> None:
    simulated = noise(range(300, 500))
    learnt = np.where(simulated.placement.starts > 310, np.inf, simulated.threshold)
    (event,) = simulated.events(learnt)
    assert event.persistent and event.end < 340


def test_the_steps_in_events_are_anomalous() -> None:
    events = [Event(s, e, s, 1.0, 1.0, (), 0.1, False) for s, e in ((0, 2), (4, 5))]
    assert steps_in_events(events, 6).tolist() == [True, True, False, False, True, False]
    assert steps_in_events(events, 4, first=1).tolist() == [True, False, False, True]
    assert not steps_in_events([], 3).any()


def wave(steps: int = 400, bump: Sequence[int] = ()) -> NDArray[np.float64]:
    """A wave that the model knows, turned over at some steps."""
    values = 20 + 3 * np.sin(np.arange(steps) * 2 * np.pi / 32)
    values[list(bump)] = 40 - values[list(bump)]
    return values[:, None]


def test_what_happened_is_found_where_it_happened(engine: Engine) -> None:
    calibration = engine.card.calibration
    bumps = [range(100, 106), range(300, 306)]
    normal, bumpy = engine.analyse([wave(), wave(bump=[*bumps[0], *bumps[1]])])
    for gap, expected in ((1, 2), (200, 1)):
        found = bumpy.events(calibration.threshold(), calibration, gap)
        assert len(found) == expected
        stretches = bumps if expected == 2 else [range(bumps[0].start, bumps[1].stop)]
        for event, stretch in zip(found, stretches, strict=True):
            assert abs(event.start - stretch.start) <= 3 and abs(event.end - stretch.stop) <= 3
            assert event.score > calibration.threshold()
            ((name, score),) = event.channels
            assert name == "height"
            assert score == pytest.approx(bumpy.channel_scores[event.peak, 0])
        assert found[0].peak in (bumps[0] if expected == 2 else [*bumps[0], *bumps[1]])
    assert normal.events(calibration.threshold(), calibration, 1) == []


def test_events_are_as_rare_as_flagged_windows_are(engine: Engine, fresh: list[np.ndarray]) -> None:
    calibration = engine.card.calibration
    covered = [
        event.end - event.start
        for analysis in engine.analyse(fresh)
        for event in analysis.events(calibration.threshold(), calibration, 0)
    ]
    assert sum(covered) <= 0.05 * 32 * len(fresh)


def test_steps_without_a_value_are_not_part_of_an_event(engine: Engine) -> None:
    calibration = engine.card.calibration
    values = np.concatenate([wave(bump=range(390, 396)), np.full((64, 1), np.nan)])
    (analysis,) = engine.analyse([values], 16)
    assert np.isnan(analysis.score).any()
    event = analysis.events(calibration.threshold(), calibration, 1)[-1]
    assert event.start >= 380 and event.end <= 400


def test_a_gap_must_not_be_negative_even_where_nothing_happened(engine: Engine) -> None:
    calibration = engine.card.calibration
    (normal,) = engine.analyse([wave()])
    with pytest.raises(FieldError, match="at least 0") as caught:
        normal.events(np.inf, calibration, -1)
    assert caught.value.field == "gap"
