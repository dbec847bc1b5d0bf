"""The command `rvae plot-grid`."""

from pathlib import Path

import pytest

from tests.support.command_line import rvae


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--dimensions=[3, 1]"], ("dimension 3", "dimension 1")),
        (["--data"], ("first component", "second component")),
    ],
)
def test_a_plane_is_drawn(
    checkpoint: Path, tmp_path: Path, options: list[str], words: tuple[str, ...]
) -> None:
    if options == ["--data"]:
        done = rvae("sample", checkpoint, "drawn.npy", cwd=tmp_path)
        options = ["--data", "drawn.npy"]
    done = rvae("plot-grid", checkpoint, "g.svg", "--size", 3, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Drew 3 × 3 windows to g.svg\n"
    picture = (tmp_path / "g.svg").read_text()
    assert all(word in picture for word in words)


def test_an_unknown_dimension_is_said(checkpoint: Path, tmp_path: Path) -> None:
    done = rvae("plot-grid", checkpoint, "g.png", "--dimensions=[7]", cwd=tmp_path)
    assert done.returncode == 1
    assert "dimensions: must be one or two different numbers from 0 to 3, got [7]" in done.stderr
