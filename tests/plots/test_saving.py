"""Figures → files."""

from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rvae.errors import FieldError
from rvae.plots.saving import PICTURES, require_picture, save_axes

BEGINNINGS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


def axes() -> Axes:
    drawn = Figure(figsize=(2, 1)).subplots()
    drawn.plot([1, 2], label="a line")
    drawn.set_title("some words")
    return drawn


@pytest.mark.parametrize("suffix", PICTURES)
def test_the_same_figure_makes_the_same_file(tmp_path: Path, suffix: str) -> None:
    paths = [tmp_path / name / f"a{suffix}" for name in ("one", "two")]
    for path in paths:
        save_axes(axes(), path)
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert first.startswith(BEGINNINGS[suffix])


def test_text_stays_text(tmp_path: Path) -> None:
    save_axes(axes(), tmp_path / "a.svg")
    assert "some words</text>" in (tmp_path / "a.svg").read_text()


def test_another_suffix_is_said(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match=r"^output: must end in .png, .svg or .pdf, got a\.gif$"):
        require_picture(Path("a.gif"))
    with pytest.raises(FieldError, match=r"\.svg, \.pdf or \.html"):
        require_picture(Path("a"), (".html",))
    require_picture(Path("a.html"), (".html",))
    (tmp_path / "b.png").mkdir()
    with pytest.raises(FieldError, match="is a folder"):
        save_axes(axes(), tmp_path / "b.png")
