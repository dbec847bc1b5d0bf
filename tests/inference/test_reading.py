"""Files that are read for a trained model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rvae.config import ReaderConfig
from rvae.errors import FieldError
from rvae.inference.reading import read_for
from tests.support.command_line import rvae
from tests.support.untrained import untrained_card


def test_data_that_does_not_fit_the_model_is_said(checkpoint: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "two.npy", np.zeros((100, 2)))
    np.save(tmp_path / "short.npy", np.zeros(20))
    for name, field in (("two.npy", "columns"), ("short.npy", "data")):
        done = rvae("evaluate", checkpoint, name, cwd=tmp_path)
        assert done.returncode != 0
        assert done.stderr.startswith(f"rvae: {field}: ") and done.stderr.count("\n") == 1


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


def test_classes_that_a_model_does_not_need_are_read_if_they_are_asked_for(tmp_path: Path) -> None:
    card = untrained_card(
        channels=("load",), classes=("large", "small"), reader=ReaderConfig(classes="size")
    )
    rows = "\n".join(f"{20 + i % 3},{'large' if i < 8 else 'small'}" for i in range(16))
    (tmp_path / "named.csv").write_text(f"load,size\n{rows}\n")
    card = replace(card, reader=replace(card.reader, columns=("load",)))
    path = tmp_path / "named.csv"
    assert read_for(card, path, None, None, None, labels=False).series[0].classes is None
    (series,) = read_for(card, path, None, None, None, labels=False, classes=True).series
    assert series.class_codes.tolist() == [0] * 8 + [1] * 8
    (tmp_path / "bare.csv").write_text("load\n" + "20\n21\n" * 8)
    with pytest.raises(FieldError, match="size"):
        read_for(card, tmp_path / "bare.csv", None, None, None, labels=True, classes=True)
