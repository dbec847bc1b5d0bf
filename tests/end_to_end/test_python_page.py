"""The code of docs/python.md, run from top to bottom."""

import re
from pathlib import Path
from typing import Any

import pytest
from matplotlib import pyplot

from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "python.md").read_text()


def run_section(title: str) -> dict[str, Any]:
    """Run the code of a section, and return what it has named."""
    _, section = PAGE.split(f"\n## {title}\n")
    section, *_ = section.split("\n## ")
    names: dict[str, Any] = {}
    for code in re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
        exec(code, names)
        # What the comments say about shapes.
        for name, shape in re.findall(r"^(\w+) = .*# \((\d+(?:, \d+)+)\)$", code, re.MULTILINE):
            assert str(names[name].shape) == f"({shape})"
    return names


def test_the_code_for_frames_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pyplot.switch_backend("agg")
    names = run_section("From a frame")
    pyplot.close("all")
    scores, new = names["scores"], names["new"]
    assert scores.index.equals(new.index)
    columns = re.findall(r"^\| (`.*`) \|", PAGE, re.MULTILINE)
    documented = {name for row in columns for name in re.findall(r"`(\w+)`", row)}
    assert documented == {name for name in scores if not name.startswith("speed")}
    assert (names["events"]["start"] <= 205).any()
    assert names["again"].artifact.checksum == names["model"].artifact.checksum


def test_the_code_of_the_estimator_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = run_section("The estimator")
    assert (tmp_path / "model.ckpt").exists()
    assert names["probe"].score(names["X"], names["y"]) > 0.5
