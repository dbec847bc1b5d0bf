import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.config import ScoringConfig
from rvae.data.series import Series
from rvae.inference import export
from rvae.inference.analysis import Analysis
from rvae.inference.engine import Engine
from rvae.inference.records import Columns
from rvae.inference.streams import EventStream, PointStream, Stretch
from rvae.scoring.events import Event
from tests.support.untrained import KINDS, untrained_artifact

SERIES = 600
CUTS = [1, 2, 7, 100, 1000]  # windows of a stretch


def simulated(score: str, stride: int) -> tuple[Series, Analysis, NDArray[np.float64]]:
    """A series, its analysis, and a threshold of each window that some of its events exceed."""
    card = replace(KINDS["several"], scoring=ScoringConfig(score))
    state = {} if score == "likelihood" else {"levels": np.array([0.5, 0.8])}
    engine = Engine(replace(untrained_artifact(card), scorer=state))
    random = np.random.default_rng(stride)
    values = random.normal(20, 1, (SERIES, 2))
    for first, steps in ((0, 5), (100, 3), (130, 3), (200, 120), (430, 1), (590, 10)):
        values[first : first + steps, random.integers(2)] += 9
    values[40:70] = values[250:255] = values[300:, 1] = np.nan
    (analysis,) = engine.analyse([values], stride)
    usual = np.nanquantile(analysis.score, 0.7)
    limits = usual + 0.05 * np.sin(np.arange(len(analysis.score)))
    return Series(values, "s"), analysis, limits


def cut(
    series: Series, analysis: Analysis, limits: NDArray[np.float64], windows: int
) -> Iterator[Stretch]:
    whole = Stretch(series, analysis, limits)
    for first in range(0, len(limits), windows):
        some = whole.since(first)
        until = slice(0, windows)
        evidence = {name: values[until] for name, values in some.analysis.evidence.items()}
        fields = {
            name: getattr(some.analysis, name)[until]
            for name in ("starts", "latent", "mean", "score")
        }
        yield Stretch(
            series, replace(some.analysis, evidence=evidence, **fields), some.thresholds[until]
        )


@pytest.mark.parametrize("score", ["likelihood", "excess"])
@pytest.mark.parametrize("stride", [1, 3, 8, 11])
@pytest.mark.parametrize("windows", CUTS)
def test_points_are_those_of_the_whole_series_to_the_last_bit(
    score: str, stride: int, windows: int
) -> None:
    series, analysis, limits = simulated(score, stride)
    points, parts = PointStream(), list[NDArray[np.float64]]()
    for stretch in cut(series, analysis, limits, windows):
        settled = points.add(stretch)
        some = settled.analysis
        assert settled.first == sum(map(len, parts))
        scores, of_steps = some.step_scores(settled.thresholds)
        columns = [some.point_scores, scores, of_steps, *some.reconstruction.T]
        parts.append(np.stack(columns, axis=1)[settled.rows])
    scores, of_steps = analysis.step_scores(limits)
    expected = [analysis.point_scores, scores, of_steps, *analysis.reconstruction.T]
    np.testing.assert_array_equal(np.concatenate(parts), np.stack(expected, axis=1))


@pytest.mark.parametrize("score", ["likelihood", "excess"])
@pytest.mark.parametrize("stride", [1, 3, 8, 11])
@pytest.mark.parametrize("windows", CUTS)
@pytest.mark.parametrize("gap", [0, 5, 90, 1000])
def test_events_are_those_of_the_whole_series_to_the_last_bit(
    score: str, stride: int, windows: int, gap: int
) -> None:
    series, analysis, limits = simulated(score, stride)
    calibration = replace(KINDS["several"].calibration, quantile=0.01)  # some events are persistent
    stream, found = EventStream(calibration, gap), list[Event]()
    for stretch in cut(series, analysis, limits, windows):
        before = stream.decided
        events = stream.add(stretch)
        assert all(before <= event.start for event in events)
        found += events
    assert stream.decided == SERIES
    expected = analysis.events(limits, calibration, gap)
    assert found == expected
    if gap == 0 and stride == 1:
        assert {event.persistent for event in found} == {True, False}
    assert len(found) == 1 if gap == 1000 else len(found) > (2 if gap < 90 else 0)


@pytest.mark.parametrize("windows", [256, 512])
@pytest.mark.parametrize("adapt", [None, 0.1])
def test_tables_of_long_series_are_those_of_stretches_to_the_last_bit(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, windows: int, adapt: float | None
) -> None:
    values = bumpy(1900)
    series = [Series(values[:1500], "one"), Series(values, "two")]
    whole = tables(engine, series, adapt)
    assert len(whole["events"]["start"]) == 5 + 6
    monkeypatch.setattr("rvae.inference.engine.NUMBERS_PER_CHUNK", windows * 32)
    for name, columns in tables(engine, series, adapt).items():
        assert list(columns) == list(whole[name])
        for column, found in columns.items():
            np.testing.assert_array_equal(found, whole[name][column])


def bumpy(steps: int) -> NDArray[np.float64]:
    """A wave that the model knows, and an event every 300 steps."""
    values = 20 + 3 * np.sin(np.arange(steps) * 2 * np.pi / 32)
    for first in range(100, steps, 300):
        values[first : first + 6] = 40 - values[first : first + 6]
    return values[:, None]


def tables(engine: Engine, series: list[Series], adapt: float | None) -> dict[str, Columns]:
    pieces: dict[str, Iterator[Columns]] = {
        "windows": export.window_records(engine, series, 2, adapt),
        "points": export.point_records(engine, series, 2, adapt),
        "events": export.event_records(engine, series, 2, adapt),
        "latents": export.latent_records(engine, series, 2),
        "reconstruction": export.reconstruction_records(engine, series, 2),
    }
    parts = {name: list(some) for name, some in pieces.items()}
    return {
        name: {column: np.concatenate([part[column] for part in some]) for column in some[0]}
        for name, some in parts.items()
    }


@pytest.mark.parametrize("name", ["window", "point", "event", "latent", "reconstruction"])
def test_memory_does_not_grow_with_the_series(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setattr("rvae.inference.engine.NUMBERS_PER_CHUNK", 64 * 32)
    monkeypatch.setattr("rvae.inference.export.ROWS_PER_GROUP", 100)
    values, peaks = bumpy(8000), []
    for steps in (800, 8000):
        records = getattr(export, f"{name}_records")(engine, [Series(values[:steps])], 4)
        tracemalloc.start()
        try:
            export.write(tmp_path / "rows.parquet", records)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]
