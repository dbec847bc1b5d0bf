"""The command `rvae plot-training`."""

from pathlib import Path

from tests.support.command_line import rvae
from tests.support.short_training import train


def test_the_losses_of_a_training_are_drawn(tmp_path: Path) -> None:
    train(tmp_path)
    done = rvae("plot-training", "run", "t.svg", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Drew 2 epochs, ") and done.stdout.endswith(" to t.svg\n")
    picture = (tmp_path / "t.svg").read_text()
    assert all(word in picture for word in ("training", "validation", "reconstruction", "KL"))


def test_another_folder_is_said(tmp_path: Path) -> None:
    done = rvae("plot-training", ".", "t.png", cwd=tmp_path)
    assert done.returncode == 1 and "is not the output folder of a training" in done.stderr
