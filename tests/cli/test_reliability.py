"""What `rvae evaluate` says of promises."""

import json
from pathlib import Path

import numpy as np
import pytest

from rvae.cli.evaluate import evaluate
from rvae.errors import FieldError
from tests.support.waves import waves


@pytest.fixture
def fresh_file(tmp_path: Path) -> Path:
    path = tmp_path / "fresh.npy"
    np.save(path, waves(60, seed=7))
    return path


def test_promises_are_compared_and_drawn(
    checkpoint: Path, fresh_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate(checkpoint, fresh_file, reliability=tmp_path / "drawn.svg")
    said = " ".join(capsys.readouterr().out.split())
    assert "(own)" in said and "Normal windows, 60 independent blocks" in said
    assert "Nothing below" in said and "Needed for 0.1 % of windows: 999 blocks" in said
    assert "false events per 10,000 steps" in (tmp_path / "drawn.svg").read_text()


def test_one_json_object_and_nothing_else(
    checkpoint: Path, fresh_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate(checkpoint, fresh_file, json=True)
    found = json.loads(capsys.readouterr().out)
    own, *others = found["reliability"]["levels"]
    assert own["threshold"] == found["threshold"]
    assert own["windows"]["measured"] == pytest.approx(found["flagged"])
    assert own["windows"]["low"] <= own["windows"]["measured"] <= own["windows"]["high"]
    assert {round(level["quantile"], 3) for level in others} <= {0.95, 0.98, 0.99, 0.999}


def test_what_is_wrong_is_said_before_the_model_is_read(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match="reliability") as caught:
        evaluate(tmp_path / "none", tmp_path / "none", reliability=tmp_path / "drawn.txt")
    assert caught.value.field == "reliability"
    with pytest.raises(FieldError, match="cannot be combined"):
        evaluate(tmp_path / "none", tmp_path / "none", json=True, probes=True)
