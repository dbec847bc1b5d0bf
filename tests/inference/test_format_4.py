"""Models that rvae saved in format 4: files that its code of that time has written."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.card import Card, ModelSpec
from rvae.inference.checkpoints import read_spec
from rvae.inference.engine import Engine

DATA = Path(__file__).parent / "data" / "format_4"
# A score "excess" with the level of windows and a memory, of two channels.
EXPECTED = np.load(DATA / "expected.npz")


@pytest.mark.parametrize("name", ["model.ckpt", "folder"])
def test_a_model_says_what_it_said_when_it_was_saved(name: str) -> None:
    engine = Engine.load(DATA / name)
    analyses = engine.analyse(list(EXPECTED["values"]))
    for attribute in ("score", "contributions"):
        found = np.concatenate([getattr(analysis, attribute) for analysis in analyses])
        np.testing.assert_allclose(found, EXPECTED[attribute], rtol=1e-4, atol=1e-6)
    channels = np.stack([analysis.channel_scores for analysis in analyses])
    np.testing.assert_allclose(channels, EXPECTED["channel_scores"], rtol=1e-4, atol=1e-6)
    state = engine.runner.scorer.state()
    assert state["memory"].shape == (20, 2) and state["levels"].shape == (5,)


def test_it_is_saved_in_the_format_of_today(tmp_path: Path) -> None:
    checkpoint, folder = Artifact.load(DATA / "model.ckpt"), Artifact.load(DATA / "folder")
    assert checkpoint.checksum == folder.checksum
    folder.save(tmp_path)
    again = Artifact.load(tmp_path)
    assert again.checksum == folder.checksum
    assert again.card.to_dict() == folder.card.to_dict() and again.card.to_dict()["format"] == 6
    assert "levels" not in again.card.to_dict()
    for name, tensor in folder.scorer.items():
        assert (again.scorer[name] == tensor).all() and again.scorer[name].dtype == tensor.dtype


def test_an_unfinished_training_run_is_known_but_is_no_model() -> None:
    spec = read_spec(DATA / "unfinished.ckpt")
    assert type(spec) is ModelSpec and not isinstance(spec, Card)
    assert spec.channels == ("heat", "speed") and spec.scoring.score == "excess"
    with pytest.raises(FieldError, match="unfinished training run") as caught:
        Artifact.load(DATA / "unfinished.ckpt")
    assert caught.value.field == "checkpoint"


def test_damage_is_noticed_here_too(tmp_path: Path) -> None:
    shutil.copytree(DATA / "folder", tmp_path / "folder")
    weights = tmp_path / "folder" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with pytest.raises(FieldError, match="damaged"):
        Artifact.load(tmp_path / "folder")
