"""The command `rvae plot-classes`."""

from pathlib import Path

from tests.support.command_line import rvae
from tests.support.untrained import KINDS, untrained_artifact


def test_classes_are_rows(tmp_path: Path) -> None:
    untrained_artifact(KINDS["conditional"]).save(tmp_path / "model")
    done = rvae("plot-classes", "model", "c.svg", "--count", 3, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Drew 3 windows of each of 2 classes to c.svg\n"
    assert ">old</text>" in (tmp_path / "c.svg").read_text()


def test_a_model_without_classes_is_said(checkpoint: Path, tmp_path: Path) -> None:
    done = rvae("plot-classes", checkpoint, "c.png", cwd=tmp_path)
    assert done.returncode == 1 and "not conditional" in done.stderr
