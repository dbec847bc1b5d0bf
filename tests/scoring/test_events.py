from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.errors import FieldError
from rvae.inference.engine import Engine
from rvae.scoring.calibration import Calibration
from rvae.scoring.events import Event, find_events

CALIBRATION = Calibration.fit(np.linspace(0, 1, 999), 0.95, 999)
NAMES = ("heat", "speed", "load", "noise")


def spans(
    scores: Sequence[float] | NDArray[np.float64],
    thresholds: NDArray[np.float64] | float = 1.0,
    gap: int = 0,
) -> list[tuple[int, ...]]:
    scores = np.asarray(scores, dtype=float)
    found = find_events(scores, thresholds, scores, scores[:, None], ["heat"], CALIBRATION, gap)
    return [(event.start, event.end) for event in found]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0, 0, 0], []),
        ([1, 1, 1], []),
        ([2, 2, 2], [(0, 3)]),
        ([2, 0, 0], [(0, 1)]),
        ([0, 0, 2], [(2, 3)]),
        ([0, 2, 2, 0, 2], [(1, 3), (4, 5)]),
        ([np.nan, 2, np.nan, 2, 0], [(1, 2), (3, 4)]),
        ([np.nan] * 3, []),
    ],
)
def test_stretches_above_the_threshold_are_events(
    scores: list[float], expected: list[tuple[int, int]]
) -> None:
    assert spans(scores) == expected


def test_stretches_with_a_short_gap_between_them_are_one() -> None:
    scores = [0, 2, 0, 2, 0, 0, 2, 0, 0, 0]
    assert spans(scores, gap=0) == [(1, 2), (3, 4), (6, 7)]
    assert spans(scores, gap=1) == [(1, 4), (6, 7)]
    assert spans(scores, gap=2) == spans(scores, gap=100) == [(1, 7)]


def test_nothing_is_joined_over_what_is_unknown() -> None:
    assert spans([2, 0, np.nan, 0, 2, 0, 2], gap=5) == [(0, 1), (4, 7)]


def test_every_step_may_have_a_threshold_of_its_own() -> None:
    assert spans([2, 2, 2, 2], np.array([1, 3, np.inf, 1])) == [(0, 1), (3, 4)]


def test_an_event_tells_what_it_is_about() -> None:
    scores = np.array([0.5, 1.5, 1.8, 1.6, 0.5])
    channels = np.array(
        [
            [9, 9, 9, 9],
            [1, 1, 1, 1],
            [0, 1, 2, 1],
            [np.nan, 1, 3, 2],
            [9, 9, 9, 9],
        ]
    )
    (event,) = find_events(
        scores, 1.0, np.nanmean(channels, axis=1), channels, NAMES, CALIBRATION, 0
    )
    severity = float(CALIBRATION.severity(1.8))
    assert severity > 3
    leading = (("load", 3.0), ("noise", 2.0), ("speed", 1.0))
    assert event == Event(1, 4, 3, 1.8, severity, leading)
    (event,) = find_events(
        scores, 1.0, np.full(5, np.nan), np.full((5, 4), np.nan), NAMES, CALIBRATION, 0
    )
    assert (event.peak, event.channels) == (1, ())


def test_a_negative_gap_is_refused() -> None:
    with pytest.raises(FieldError) as caught:
        spans([1, 2], gap=-1)
    assert caught.value.field == "gap"


def wave(steps: int = 400, bump: list[int] | range | tuple[int, ...] = ()) -> NDArray[np.float64]:
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
            assert event.start <= stretch[0] and stretch[-1] < event.end
            assert event.score > calibration.threshold()
            ((name, score),) = event.channels
            assert name == "height" and score == bumpy.channel_scores[event.peak, 0]
        assert found[0].peak in (bumps[0] if expected == 2 else [*bumps[0], *bumps[1]])
    assert normal.events(calibration.threshold(), calibration, 1) == []


def test_normal_steps_are_rarely_above_the_threshold_of_windows(
    engine: Engine, fresh: list[np.ndarray]
) -> None:
    """As rarely as windows are, which is not so for likelihoods of single steps."""
    calibration = engine.card.calibration
    analyses = engine.analyse(fresh)
    covered = [
        event.end - event.start
        for analysis in analyses
        for event in analysis.events(calibration.threshold(), calibration, 0)
    ]
    assert sum(covered) <= 0.05 * 32 * len(fresh)
    points = np.concatenate([analysis.point_scores for analysis in analyses])
    assert (points > calibration.threshold()).mean() > 0.05


def test_the_threshold_of_a_window_without_a_score_does_not_count(engine: Engine) -> None:
    calibration = engine.card.calibration
    values = np.concatenate([wave(bump=range(390, 396)), np.full((64, 1), np.nan)])
    (analysis,) = engine.analyse([values], 16)
    thresholds = np.full(len(analysis.score), calibration.threshold())
    plain = analysis.events(thresholds, calibration, 1)
    assert plain[-1].end > 400  # Where windows without a score begin.
    thresholds[np.isnan(analysis.score)] = np.inf
    assert analysis.events(thresholds, calibration, 1) == plain


def test_a_gap_must_not_be_negative_even_where_nothing_happened(engine: Engine) -> None:
    calibration = engine.card.calibration
    (normal,) = engine.analyse([wave()])
    with pytest.raises(FieldError, match="at least 0") as caught:
        normal.events(np.inf, calibration, -1)
    assert caught.value.field == "gap"
