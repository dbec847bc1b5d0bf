"""The command `rvae cluster`."""

from pathlib import Path

import numpy as np
import pytest
from pyarrow import csv
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from rvae.cli.cluster import cluster
from rvae.inference.engine import Engine
from tests.support.command_line import rvae
from tests.support.holes import write_with_holes
from tests.support.waves import waves


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Waves at two levels, with the level as class, and one window without a value."""
    path = tmp_path_factory.mktemp("levels") / "levels.npz"
    classes = np.repeat([0, 1], 30)
    values = waves(60, seed=3) + 12 * classes[:, None, None]
    values[0] = np.nan
    np.savez(path, signals=values, level=classes)
    return path


def cells(output: str) -> dict[str, str]:
    """What a table says, by its first column."""
    rows = [line.split("│") for line in output.splitlines() if "│" in line]
    return {row[1].strip(): row[2].strip() for row in rows}


def test_assignments_are_written_and_compared_with_classes(
    checkpoint: Path, levels: Path, tmp_path: Path
) -> None:
    options = ("--clusters", 2, "--classes", "level", "--array", "signals")
    done = rvae("cluster", checkpoint, levels, "c.csv", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = cells(done.stdout)
    assert said["clusters"] == "2"
    assert said["windows without a value, left out"] == "1"
    assert "Wrote 59 rows to c.csv" in done.stdout
    table = csv.read_csv(tmp_path / "c.csv")
    assert table.column_names == ["series", "start", "end", "cluster", "distance", "class"]
    columns = {name: table[name].to_numpy() for name in table.column_names}
    assert columns["series"].tolist() == list(range(1, 60))
    assert set(columns["start"]) == {0} and set(columns["end"]) == {32}
    assert columns["class"].tolist() == [0] * 29 + [1] * 30
    pair = columns["class"], columns["cluster"]
    assert float(said["ARI with the classes"]) == round(adjusted_rand_score(*pair), 3) > 0.2
    assert float(said["NMI with the classes"]) == round(normalized_mutual_info_score(*pair), 3)
    values = np.load(levels)["signals"]
    (analysis,) = Engine.load(checkpoint).analyse([values[7]])
    members = columns["series"][columns["cluster"] == columns["cluster"][6]]
    analyses = Engine.load(checkpoint).analyse([values[i] for i in members])
    centre = np.mean([one.latent[0] for one in analyses], axis=0)
    assert columns["distance"][6] == pytest.approx(
        np.linalg.norm(analysis.latent[0] - centre), rel=1e-3
    )


def test_without_classes_there_is_nothing_to_agree_with(
    checkpoint: Path, levels: Path, tmp_path: Path
) -> None:
    done = rvae("cluster", checkpoint, levels, "c.csv", "--array", "signals", cwd=tmp_path)
    said = cells(done.stdout)
    assert 2 <= int(said["clusters, by the best silhouette"]) <= 10
    assert "ARI with the classes" not in said
    assert "class" not in csv.read_csv(tmp_path / "c.csv").column_names


def test_noise_is_counted_both_ways(checkpoint: Path, levels: Path, tmp_path: Path) -> None:
    options = ("--method", "hdbscan", "--classes", "level", "--array", "signals")
    done = rvae("cluster", checkpoint, levels, "c.parquet", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = cells(done.stdout)
    assert said["windows in no cluster"].endswith("%")
    assert said["ARI with the classes, those in no cluster as one"]
    assert float(said["NMI with the classes, without these"]) > 0.3
    done = rvae("cluster", checkpoint, levels, "c.csv", *options, "--clusters", 3, cwd=tmp_path)
    assert done.returncode != 0 and done.stderr.startswith("rvae: clusters: ")


def test_what_is_left_out_is_said(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, table = write_with_holes(checkpoint, tmp_path)
    cluster(model, table, tmp_path / "c.csv", clusters=2, classes="kind")
    assert "Left out: 10 points in 1 pieces between holes" in capsys.readouterr().out
