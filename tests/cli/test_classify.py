"""The command `rvae classify`."""

from pathlib import Path

import numpy as np
import pytest

from rvae.cli.classify import classify
from tests.support.command_line import rvae
from tests.support.holes import write_with_holes
from tests.support.waves import waves


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files of waves at two levels, with the level as class."""
    folder = tmp_path_factory.mktemp("levels")
    for name, count, seed in (("train", 20, 3), ("test", 12, 4)):
        classes = np.arange(count) % 2
        values = waves(count, seed=seed) + 12 * classes[:, None, None]
        np.savez(folder / f"{name}.npz", signals=values, level=np.where(classes, "high", "low"))
    return folder


OPTIONS = ("--classes", "level", "--array", "signals")


def test_latents_are_compared_with_simpler_features_by_parts_of_the_series(
    checkpoint: Path, levels: Path
) -> None:
    done = rvae("classify", checkpoint, "train.npz", *OPTIONS, "--folds", 4, cwd=levels)
    assert done.returncode == 0, done.stderr
    assert "train.npz: 20 windows, 4 parts" in done.stdout
    rows = [line.split("│") for line in done.stdout.splitlines() if "│" in line]
    cells = {row[1].strip(): [cell.strip() for cell in row[2:-1]] for row in rows}
    assert cells["latents"] == ["4", "1", "1", "1"]
    assert cells["principal components"][0] == "4" and cells["raw windows"][0] == "32"
    assert cells["high"] == ["10", "1", "1", "1", "10", "0"]


def test_a_file_to_test_with_is_used_instead(checkpoint: Path, levels: Path) -> None:
    done = rvae("classify", checkpoint, "train.npz", "--test", "test.npz", *OPTIONS, cwd=levels)
    assert done.returncode == 0, done.stderr
    assert "test.npz: 12 windows, trained on train.npz" in done.stdout


def test_without_classes_the_message_says_what_to_name(checkpoint: Path, levels: Path) -> None:
    done = rvae("classify", checkpoint, "train.npz", "--array", "signals", cwd=levels)
    assert done.returncode != 0
    assert done.stderr.startswith("rvae: classes: ") and done.stderr.count("\n") == 1


def test_what_is_left_out_is_said(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, table = write_with_holes(checkpoint, tmp_path)
    classify(model, table, classes="kind", folds=2)
    assert "Left out: 10 points in 1 pieces between holes" in capsys.readouterr().out
