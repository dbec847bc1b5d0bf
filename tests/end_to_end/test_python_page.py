"""The code of docs/python.md, run from top to bottom."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "python.md").read_text()


def test_the_code_of_the_estimator_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, section = PAGE.split("\n## The estimator\n")
    section, *_ = section.split("\n## ")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for code in re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
        exec(code, names)
        # What the comments say about shapes.
        for name, shape in re.findall(r"^(\w+) = .*# \((\d+, \d+)\)$", code, re.MULTILINE):
            assert str(names[name].shape) == f"({shape})"
    assert (tmp_path / "model.ckpt").exists()
    assert names["probe"].score(names["X"], names["y"]) > 0.5
