"""The command `rvae score`."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
import pytest
from pyarrow import parquet

from rvae.cli.score import score
from rvae.errors import FieldError
from rvae.inference.engine import Engine
from tests.support.command_line import rvae


@pytest.mark.parametrize("name", ["points.csv", "points.parquet"])
def test_score_writes_points(
    checkpoint: Path, engine: Engine, labelled: Path, tmp_path: Path, name: str
) -> None:
    done = rvae("score", checkpoint, labelled, name, "--points", "--array", "signals", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    reader = parquet.read_table if name.endswith("parquet") else pyarrow.csv.read_csv
    table = reader(tmp_path / name)
    assert table.num_rows == 100 * 32
    (analysis,) = engine.analyse([np.load(labelled)["signals"][99]])
    np.testing.assert_allclose(
        table["score"].to_numpy()[-32:], analysis.point_scores, rtol=1e-4, atol=1e-5
    )


def test_score_writes_events(checkpoint: Path, tmp_path: Path) -> None:
    values = 20 + 3 * np.sin(np.arange(400) * 2 * np.pi / 32)
    for first in (100, 300):
        values[first : first + 6] = 40 - values[first : first + 6]
    np.save(tmp_path / "bumpy.npy", values)
    options = ["--events", "--adapt", "0"]
    for gap, count in (("0", 2), ("300", 1)):
        done = rvae(
            *("score", checkpoint, "bumpy.npy", "e.csv", *options, "--gap", gap), cwd=tmp_path
        )
        assert (done.returncode, done.stdout) == (0, f"Wrote {count} rows to e.csv\n"), done.stderr
    (row,) = pyarrow.csv.read_csv(tmp_path / "e.csv").to_pylist()
    assert abs(row["start"] - 100) <= 3 and abs(row["end"] - 306) <= 3
    assert row["channel"] == "height" and row["persistent"] is False


def test_a_rate_of_alarms_is_the_threshold(
    checkpoint: Path, engine: Engine, tmp_path: Path
) -> None:
    values = 20 + 3 * np.sin(np.arange(400) * 2 * np.pi / 32)
    np.save(tmp_path / "wave.npy", values)
    thresholds = []
    for options in ((), ("--points",)):
        command = ("score", checkpoint, "wave.npy", "s.csv", *options)
        done = rvae(*command, "--alarms", "1 per 100 steps", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        thresholds += pyarrow.csv.read_csv(tmp_path / "s.csv")["threshold"].to_pylist()
    expected = engine.card.calibration.threshold_of_events(0.01)
    np.testing.assert_allclose(thresholds, expected)
    assert expected < engine.card.calibration.threshold()
    done = rvae(*command, "--alarms", "1 per 2913 steps", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        1,
        "rvae: alarms: must be at least 1 event per 2,912 steps, the limit of 90 independent "
        "blocks of calibration scores\n",
    )


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"points": True, "events": True}, "events"),
        ({"points": True, "adapt": 0.2}, "adapt"),
        ({"adapt": 0.2}, "adapt"),
        ({"events": True, "adapt": -0.1}, "adapt"),
        ({"gap": 3}, "gap"),
        ({"quantile": 1.5}, "quantile"),
        ({"points": True, "quantile": 0.99999}, "quantile"),
        ({"alarms": "1 per week"}, "alarms"),
        ({"events": True, "alarms": "1 per 10000 steps"}, "alarms"),
        ({"points": True, "alarms": "1 per 100 steps", "quantile": 0.9}, "alarms"),
        ({"events": True, "gap": -1}, "gap"),
    ],
)
def test_options_of_score_that_make_no_sense_are_refused(
    checkpoint: Path, labelled: Path, tmp_path: Path, options: dict[str, Any], field: str
) -> None:
    with pytest.raises(FieldError) as caught:
        score(checkpoint, labelled, tmp_path / "s.csv", array="signals", **options)
    assert caught.value.field == field
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("output", ["scores.txt", "folder.csv"])
def test_an_output_that_cannot_be_written_is_said(
    checkpoint: Path, labelled: Path, tmp_path: Path, output: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    done = rvae("score", checkpoint, labelled, output, "--array", "signals", cwd=tmp_path)
    assert done.returncode != 0
    assert output in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("slab", [1, 2, 5, 100])
def test_windows_are_numbered_alike_however_they_are_worked_through(
    checkpoint: Path, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slab: int
) -> None:
    """Also where the last piece of a series holds but the window at its end."""
    values = np.random.default_rng(0).normal(20, 2, (2, 77, 1))
    np.save(tmp_path / "long.npy", values)
    monkeypatch.setattr("rvae.inference.engine.NUMBERS_PER_CHUNK", slab * 32)
    score(checkpoint, tmp_path / "long.npy", tmp_path / "scores.parquet", stride=10)
    table = parquet.read_table(tmp_path / "scores.parquet")
    assert table["start"].to_pylist() == [0, 10, 20, 30, 40, 45] * 2
    assert table["series"].to_pylist() == ["0"] * 6 + ["1"] * 6
    expected = np.concatenate([a.score for a in engine.analyse(list(values), 10)])
    np.testing.assert_allclose(table["score"].to_numpy(), expected, rtol=1e-4, atol=1e-5)


def test_classes_that_a_model_is_not_told_are_owed_by_no_file(
    told_by_classes: Path, tmp_path: Path
) -> None:
    for name in ("all", "bare", "odd"):
        data = told_by_classes / f"{name}.parquet"
        score(told_by_classes / "model.ckpt", data, tmp_path / f"{name}.parquet")
    rows = [parquet.read_table(tmp_path / f"{name}.parquet") for name in ("all", "bare")]
    assert rows[0] == rows[1]
