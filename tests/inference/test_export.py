from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from pyarrow import csv, parquet

from rvae.data.series import Series
from rvae.errors import FieldError
from rvae.inference import export
from rvae.inference.engine import Engine
from rvae.scoring.adaptive_threshold import AdaptiveThreshold
from rvae.scoring.thresholds import ThresholdRule
from rvae.serving.contract.outputs.band import BAND
from rvae.serving.contract.outputs.computation import Computation


def bumpy(steps: int, *bumps: int) -> NDArray[np.float64]:
    values = 20 + 3 * np.sin(np.arange(steps) * 2 * np.pi / 32)
    for first in bumps:
        values[first : first + 6] = 40 - values[first : first + 6]
    return values[:, None]


def test_windows_of_slabs_are_those_of_the_series(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("rvae.inference.engine.NUMBERS_PER_CHUNK", 4 * 32)
    times = np.datetime64("2026-03-01", "us") + np.arange(90) * np.timedelta64(60, "s")
    series = Series(np.sin(np.arange(90.0))[:, None] + 20, "long", times=times)
    export.write(tmp_path / "s.parquet", export.window_records(engine, [series, series], 7))
    table = parquet.read_table(tmp_path / "s.parquet")
    (analysis,) = engine.analyse([series], 7)
    starts = analysis.starts.tolist()
    assert starts[-1] == 58 and len(starts) > 8
    assert table["start"].to_pylist() == starts * 2
    assert table["end"].to_pylist() == [start + 32 for start in starts * 2]
    np.testing.assert_array_equal(table["time"].to_numpy()[: len(starts)], times[starts])
    np.testing.assert_allclose(table["score"].to_numpy(), np.tile(analysis.score, 2), rtol=1e-5)


def test_a_threshold_follows_each_series_through_its_slabs(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    series = Series(bumpy(300, 150), "long")
    (analysis,) = engine.analyse([series], 2)
    monkeypatch.setattr("rvae.inference.engine.NUMBERS_PER_CHUNK", 4 * 32)
    export.write(tmp_path / "s.parquet", export.window_records(engine, [series, series], 2, 0.1))
    table = parquet.read_table(tmp_path / "s.parquet")
    calibration = engine.card.calibration
    expected = np.tile(AdaptiveThreshold(calibration, 0.1).follow(analysis.score), 2)
    assert len(set(expected)) > 3
    np.testing.assert_array_equal(table["threshold"].to_numpy(), expected)
    flags = table["score"].to_numpy() > expected
    assert flags.any()
    np.testing.assert_array_equal(table["is_anomaly"].to_numpy(), flags)


def test_events_are_rows_with_their_times(engine: Engine, tmp_path: Path) -> None:
    times = np.datetime64("2026-03-01", "us") + np.arange(400) * np.timedelta64(60, "s")
    series = [
        Series(bumpy(400), "quiet", times=times),
        Series(bumpy(400, 100, 300), "loud", times=times),
    ]
    assert export.write(tmp_path / "e.csv", export.event_records(engine, series, None)) == 2
    table = csv.read_csv(tmp_path / "e.csv")
    where = ["series", "time", "start", "end", "peak"]
    judged = ["score", "severity", "tail_probability", "persistent"]
    spans = ["start_time", "last_time", "peak_time"]
    assert table.column_names == [*where, *judged, "channel", "channel_score", *spans]
    assert set(table["series"].to_pylist()) == {"loud"}
    assert set(table["channel"].to_pylist()) == {"height"}
    for row, first in zip(table.to_pylist(), (100, 300), strict=True):
        assert first <= row["peak"] < first + 6
        assert abs(row["start"] - first) <= 3 and abs(row["end"] - first - 6) <= 3
        assert row["persistent"] is False and 0 < row["tail_probability"] < 0.02
        assert row["time"] == row["start_time"]
        steps = (row["start"], row["end"] - 1, row["peak"])
        for name, step in zip(spans, steps, strict=True):
            assert np.datetime64(row[name], "us") == times[step]
    joined = export.event_records(engine, series, None, gap=300)
    assert export.write(tmp_path / "j.parquet", joined) == 1
    adapted = export.event_records(engine, series, None, adapt=0.1)
    export.write(tmp_path / "a.parquet", adapted)
    found = parquet.read_table(tmp_path / "a.parquet").to_pylist()
    calibration = engine.card.calibration
    expected = []
    for analysis in engine.analyse(series):
        thresholds = ThresholdRule(calibration, 0.1).thresholds(analysis.score)
        expected += analysis.events(thresholds, calibration, engine.card.stride)
    assert [(row["start"], row["end"]) for row in found] == [(e.start, e.end) for e in expected]
    assert [row["end"] for row in found] != table["end"].to_pylist()  # the threshold has risen


def test_windows_a_stride_apart_are_one_event_unless_the_gap_is_less(engine: Engine) -> None:
    series = [Series(bumpy(400, 150, 213))]  # flags the windows from 128 to 176 and 192 to 240
    for gap, count in ((None, 1), (16, 1), (15, 2)):
        (columns,) = export.event_records(engine, series, 16, gap=gap)
        assert len(columns["start"]) == count


def test_no_event_is_a_table_without_rows(engine: Engine, tmp_path: Path) -> None:
    series = [Series(bumpy(400), "quiet")]
    assert export.write(tmp_path / "e.parquet", export.event_records(engine, series, None)) == 0
    schema = parquet.read_table(tmp_path / "e.parquet").schema
    assert [schema.field(n).type for n in ("series", "start", "channel", "score")] == [
        pa.string(),
        pa.int64(),
        pa.string(),
        pa.float64(),
    ]


def test_points_carry_their_times(engine: Engine, tmp_path: Path) -> None:
    times = np.datetime64("2026-03-01", "us") + np.arange(40) * np.timedelta64(60, "s")
    series = Series(np.full((40, 1), 20.0), "s", times=times)
    assert export.write(tmp_path / "p.csv", export.point_records(engine, [series], None)) == 40
    table = csv.read_csv(tmp_path / "p.csv")
    band = ["height_expected", "height_lower", "height_upper"]
    judged = ["score", "window_score", "threshold", "is_anomaly"]
    assert table.column_names == ["series", "time", "step", *judged, *band]
    assert table["time"][1].as_py().isoformat() == "2026-03-01T00:01:00"


@pytest.mark.parametrize("adapt", [None, 0.1])
def test_points_are_flagged_as_events_are_and_have_the_band_of_http(
    engine: Engine, tmp_path: Path, adapt: float | None
) -> None:
    series = Series(bumpy(400, 100, 300), "loud")
    export.write(tmp_path / "p.parquet", export.point_records(engine, [series], 3, adapt))
    table = parquet.read_table(tmp_path / "p.parquet")
    (analysis,) = engine.analyse([series], 3)
    (events,) = export.event_records(engine, [series], 3, adapt)
    flags = np.zeros(400, dtype=bool)
    for start, end in zip(events["start"], events["end"], strict=True):
        flags[start:end] = True
    assert 0 < flags.sum() < 200
    np.testing.assert_array_equal(table["is_anomaly"].to_numpy(), flags)
    np.testing.assert_array_equal(table["score"].to_numpy(), analysis.point_scores)
    (band,) = BAND.compute(Computation([analysis], engine.card, 3))
    for name, values in band.items():
        np.testing.assert_array_equal(table[f"height_{name}"].to_numpy(), values[:, 0])


def test_a_table_is_whole_or_not_there(tmp_path: Path) -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield {"a": [1, 2]}
        raise FieldError("a", "broke")

    with pytest.raises(FieldError):
        export.write(tmp_path / "t.csv", broken())
    assert list(tmp_path.iterdir()) == []


def test_what_was_not_observed_is_null(tmp_path: Path) -> None:
    assert export.write(tmp_path / "t.parquet", [{"a": np.array([1.0, np.nan])}]) == 2
    assert parquet.read_table(tmp_path / "t.parquet") == pa.table({"a": [1.0, None]})
