from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rvae.errors import FieldError
from rvae.inference import checkpoints
from rvae.inference.artifact import Artifact
from rvae.inference.card import Card
from rvae.inference.checkpoints import CARD_KEY, SCORER_KEY
from tests.support.networks import network_card, scored


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A checkpoint of a score with a state."""
    artifact = scored(network_card("lstm"), "distance")
    path = tmp_path / "new" / "model.ckpt"
    checkpoints.write(path, artifact.card.to_dict(), artifact.weights, artifact.scorer)
    return path


def test_what_is_read_is_what_was_written(path: Path) -> None:
    expected = scored(network_card("lstm"), "distance")
    card, weights, state = checkpoints.read(path)
    assert card.to_dict() == expected.card.to_dict()
    for found, written in ((weights, expected.weights), (state, expected.scorer)):
        assert found.keys() == written.keys() and found
        for name, array in written.items():
            np.testing.assert_array_equal(found[name], array, strict=True)
    assert [one.name for one in path.parent.iterdir()] == ["model.ckpt"]


def test_a_write_that_fails_leaves_the_old_checkpoint(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(content: Any, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("no space left")

    before = path.read_bytes()
    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="no space left"):
        checkpoints.write(path, {}, {}, {})
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["model.ckpt"]


def test_the_names_of_weights_are_those_of_the_network(checkpoint: Path) -> None:
    content = torch.load(checkpoint, weights_only=True)
    weights = checkpoints.network_weights(content)
    assert weights.keys() == Artifact.load(checkpoint).build().state_dict().keys()


def test_an_unfinished_training_run_has_a_specification_and_no_more(path: Path) -> None:
    content = torch.load(path, weights_only=True)
    content[CARD_KEY] = {
        name: value
        for name, value in content[CARD_KEY].items()
        if name not in ("calibration", "bands")
    }
    del content[SCORER_KEY]
    torch.save(content, path)
    spec = checkpoints.read_spec(path)
    assert not isinstance(spec, Card) and spec.channels == ("heat", "cold")
    with pytest.raises(FieldError, match="unfinished training run"):
        checkpoints.read(path)


def test_a_specification_is_not_read_from_anything(tmp_path: Path) -> None:
    (tmp_path / "text.ckpt").write_text("hello")
    with pytest.raises(FieldError, match="is not a checkpoint of rvae") as caught:
        checkpoints.read_spec(tmp_path / "text.ckpt")
    assert caught.value.field == "checkpoint"
