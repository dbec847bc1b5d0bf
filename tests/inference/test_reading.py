"""Files that are read for a trained model."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from rvae.data.text_files import _standard_input
from tests.support.command_line import rvae


def test_data_that_does_not_fit_the_model_is_said(checkpoint: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "two.npy", np.zeros((100, 2)))
    np.save(tmp_path / "short.npy", np.zeros(20))
    for name, field in (("two.npy", "columns"), ("short.npy", "data")):
        done = rvae("evaluate", checkpoint, name, cwd=tmp_path)
        assert done.returncode != 0
        assert done.stderr.startswith(f"rvae: {field}: ") and done.stderr.count("\n") == 1


def test_a_file_may_be_written_in_another_way_than_the_training_file(
    checkpoint: Path, tmp_path: Path
) -> None:
    wave = 20 + 3 * np.sin(np.arange(100) * np.pi / 16)
    (tmp_path / "point.csv").write_text("height\n" + "".join(f"{v:.3f}\n" for v in wave))
    comma = "".join(f"{v:.3f};on\n".replace(".", ",") for v in wave)
    (tmp_path / "comma.csv").write_text("height;mode\n" + comma)
    done = rvae("score", checkpoint, "comma.csv", "s.csv", cwd=tmp_path)
    assert done.stderr.startswith("rvae: format.decimal: '20,000' may be")
    scores = []
    for name, options in (("point.csv", []), ("comma.csv", ["--format.decimal", ","])):
        done = rvae("score", checkpoint, name, "s.parquet", *options, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        scores.append(parquet.read_table(tmp_path / "s.parquet")["score"].to_numpy())
    np.testing.assert_array_equal(*scores)


def test_standard_input_is_a_file(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wave = 20 + 3 * np.sin(np.arange(100) * np.pi / 16)
    rows = "height\n" + "".join(f"{v:.4f}\n" for v in wave)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(rows.encode())))
    _standard_input.cache_clear()
    done = rvae("score", checkpoint, "-", "s.csv", cwd=tmp_path)
    _standard_input.cache_clear()
    assert (done.returncode, done.stdout) == (0, "Wrote 69 rows to s.csv\n"), done.stderr


def test_a_test_file_of_the_archive_may_hold_shorter_cases(tmp_path: Path) -> None:
    """Than the training file, where they are all padded to the longest."""
    random = np.random.default_rng(0)

    def archive(name: str, length: int) -> None:
        cases = np.round(np.sin(np.arange(length) / 3 + random.uniform(0, 6, (60, 1))), 3)
        rows = ("\t".join(["1", *map(str, case)]) for case in cases.tolist())
        (tmp_path / name).write_text("\n".join(rows))

    archive("A_TRAIN.tsv", 20)
    archive("A_TEST.tsv", 17)
    options = ["--training.epochs=1", "--training.quantile=0.8", "--training.accelerator=cpu"]
    done = rvae("fit", "--data.path=A_TRAIN.tsv", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = rvae("score", "runs/latest/model.ckpt", "A_TEST.tsv", "s.csv", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "Wrote 60 rows to s.csv\n"), done.stderr
