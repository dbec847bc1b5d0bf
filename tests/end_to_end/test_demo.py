"""The demo's picture, without a server: it is drawn from answers."""

import importlib.util
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.support.paths import ROOT

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo", ROOT / "examples" / "demo.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def texts(path: Path) -> list[str]:
    """Texts of a picture, but for the numbers of its axes."""
    words = [text.text or "" for text in ElementTree.parse(path).iter(f"{SVG}text")]
    return [word for word in words if any(letter.isalpha() for letter in word)]


@pytest.fixture
def picture(demo: ModuleType, tmp_path: Path) -> Path:
    beats = np.random.default_rng(0).normal(size=(demo.PICTURED, 140, 2))
    answers = [
        {"score": [37.5 if i == 5 else 0.1], "threshold": 8.6, "reconstruction": beat.tolist()}
        for i, beat in enumerate(beats)
    ]
    for name in ("once.svg", "again.svg"):
        demo.draw(beats, answers, tmp_path / name)
    return tmp_path


def test_the_same_answers_make_the_same_picture(picture: Path) -> None:
    assert (picture / "once.svg").read_bytes() == (picture / "again.svg").read_bytes()


def test_the_picture_of_the_readme_is_one_of_the_demo(picture: Path) -> None:
    drawn = texts(picture / "once.svg")
    assert {"anomaly, score 37.5", "threshold 8.6", "series", "reconstruction"} <= set(drawn)
    assert texts(ROOT / "docs" / "images" / "anomaly.svg") == drawn
