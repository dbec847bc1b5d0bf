"""A series with what a model says about it."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rvae.data.series import Series
from rvae.errors import FieldError
from rvae.inference.engine import Engine
from rvae.plots.scored_series import MAX_CHANNELS, ScoredSeries, score_series
from rvae.scoring.events import Event
from tests.support.untrained import KINDS, untrained_engine

HOUR = np.timedelta64(1, "h")


@pytest.fixture(scope="module")
def bumpy() -> Series:
    """Two bumps in a wave, and an hour from step to step."""
    values = 20 + 3 * np.sin(np.arange(400) * 2 * np.pi / 32)
    for first in (100, 300):
        values[first : first + 6] = 40 - values[first : first + 6]
    times = np.datetime64("2026-03-01", "us") + np.arange(400) * HOUR
    return Series(values[:, None], "bumpy", times=times)


@pytest.fixture(scope="module")
def scored(engine: Engine, bumpy: Series) -> ScoredSeries:
    return score_series(engine, bumpy)


def event(start: int, end: int, *channels: str) -> Event:
    return Event(start, end, start, 1.0, 1.0, tuple((name, 1.0) for name in channels), 0.1, False)


def made(channels: int = 1, length: int = 10, **others: Any) -> ScoredSeries:
    values = np.arange(length * channels, dtype=float).reshape(length, channels)
    names = tuple(f"c{i}" for i in range(channels))
    return ScoredSeries(values, values, values[:, 0], names, **others)


def test_it_holds_what_the_model_says(engine: Engine, bumpy: Series, scored: ScoredSeries) -> None:
    (analysis,) = engine.analyse([bumpy])
    calibration, bands = engine.card.calibration, engine.card.bands
    np.testing.assert_allclose(scored.reconstruction, analysis.reconstruction)
    np.testing.assert_array_equal(scored.values, bumpy.values)
    np.testing.assert_allclose(np.asarray(scored.thresholds), calibration.threshold())
    assert list(scored.events) == analysis.events(calibration.threshold(), calibration, 1)
    assert scored.coverage == calibration.quantile == 0.98
    bounds = bands.around(analysis.reconstruction, engine.card.scaler, 0.98)
    np.testing.assert_allclose(np.array([scored.lower, scored.upper]), np.array(bounds))
    assert (scored.name, scored.channels) == ("bumpy", ("height",))


def test_events_are_within_the_stretches_above_the_threshold(scored: ScoredSeries) -> None:
    assert scored.thresholds is not None and len(scored.events) == 2
    above = scored.scores > scored.thresholds
    for start, last in scored.spans:
        assert above[start : last + 1].all()


def test_options_reach_the_threshold(engine: Engine, bumpy: Series, scored: ScoredSeries) -> None:
    low = score_series(engine, bumpy, quantile=0.5)
    assert low.coverage == 0.5
    assert low.thresholds is not None and scored.thresholds is not None
    assert low.thresholds[0] < scored.thresholds[0]
    assert low.upper is not None and scored.upper is not None
    assert (low.upper < scored.upper).all()
    assert len(score_series(engine, bumpy, gap=400).events) == 1
    assert score_series(engine, bumpy, stride=32).scores[1] == pytest.approx(
        engine.analyse([bumpy], 32)[0].score[0]
    )
    following = score_series(engine, bumpy, adapt=0.05).thresholds
    assert following is not None and np.ptp(following) > 0


def test_a_quantile_beyond_the_bands_leaves_the_widest_band(engine: Engine, bumpy: Series) -> None:
    most = engine.card.calibration.largest_quantile
    largest = engine.card.bands.largest_quantile
    found = score_series(engine, bumpy, quantile=most)
    assert found.coverage == min(most, largest)


def test_a_part_keeps_the_numbers_of_the_whole(scored: ScoredSeries) -> None:
    part = scored.part("60", "250")
    assert (part.first, len(part)) == (60, 190)
    for name in ("values", "reconstruction", "scores", "lower", "upper", "thresholds", "times"):
        np.testing.assert_array_equal(getattr(part, name), getattr(scored, name)[60:250])
    assert part.events == scored.events[:1]
    assert part.part("100", None).events == part.events  # steps of the whole series
    np.testing.assert_array_equal(part.spans + 60, scored.spans[:1])
    same = scored.part("2026-03-03T12:00", "2026-03-11T10")
    np.testing.assert_array_equal(same.values, part.values)
    assert scored.part(None, None).events == scored.events


def test_an_event_is_cut_at_the_border_of_a_part() -> None:
    scored = made(events=(event(0, 2), event(3, 6), event(7, 9)))
    part = scored.part("2", "8")
    assert [one.start for one in part.events] == [3, 7]
    assert part.spans.tolist() == [[1, 3], [5, 5]]
    assert made().spans.shape == (0, 2)
    assert part.places.tolist() == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("start", "end", "error"),
    [
        ("5", "5", "end: 5 leaves nothing"),
        ("99", None, "end: None leaves nothing"),
        ("yesterday", None, "start: must be the number of a step or a time like"),
    ],
)
def test_borders_that_make_no_sense_are_said(
    scored: ScoredSeries, start: str, end: str | None, error: str
) -> None:
    with pytest.raises(FieldError, match=error):
        replace(scored.part("0", "20")).part(start, end)


def test_a_time_needs_times() -> None:
    with pytest.raises(FieldError, match="since the series has no times, got '2026-01-01'"):
        made().part(None, "2026-01-01")


def test_of_many_channels_those_that_lead_in_events_are_shown() -> None:
    many = MAX_CHANNELS + 8
    events = (event(1, 2, "c19", "c3"), event(3, 4, "c15"), event(5, 6), event(7, 8, "c15"))
    assert made(many).shown(None) == list(range(MAX_CHANNELS))
    assert made(many, events=events).shown(None) == [*range(MAX_CHANNELS - 2), 15, 19]
    assert made(3).shown(None) == [0, 1, 2]
    assert made(3).shown(["c2", "c0"]) == [2, 0]
    with pytest.raises(FieldError, match="channels: 'heat' is none of c0, c1, c2"):
        made(3).shown(["heat"])


def test_units_and_categories_are_named() -> None:
    scored = made(2, units={"c1": "bar"}, categories={"c0": ("off", "on")})
    assert [scored.label(channel) for channel in (0, 1)] == ["c0", "c1 (bar)"]
    assert scored.category_names(0) == {0: "unknown", 1: "off", 2: "on"}  # the first value is 0
    assert scored.part("1", None).category_names(0) == {1: "off", 2: "on"}
    assert scored.category_names(1) == {}


@pytest.mark.parametrize("kind", ["several", "categories", "calendar", "conditional", "bernoulli"])
def test_models_of_every_kind_score_for_a_picture(kind: str) -> None:
    card = KINDS[kind]
    length, channels = 30, len(card.channels)
    series = Series(
        np.ones((length, channels)) * (1 if kind in ("categories", "bernoulli") else 20),
        times=np.datetime64("2026-01-01", "us") + np.arange(length) * HOUR,
        classes=np.zeros(length, np.int64),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scored = score_series(untrained_engine(card), series)
    assert scored.reconstruction.shape == (length, channels)
