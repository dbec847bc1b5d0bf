import hashlib
import json
import pickle
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.checkpoints import CARD_KEY
from rvae.inference.engine import Engine
from rvae.inference.model_files import CARD_FILE, WEIGHTS_FILE


@pytest.fixture
def folder(checkpoint: Path, tmp_path: Path) -> Path:
    Artifact.load(checkpoint).save(tmp_path)
    return tmp_path


def test_the_same_model_gives_the_same_bytes(
    checkpoint: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    again = tmp_path_factory.mktemp("again")
    Artifact.load(folder).save(again)
    for name in (CARD_FILE, WEIGHTS_FILE):
        assert (folder / name).read_bytes() == (again / name).read_bytes()


def test_a_model_at_work_takes_no_random_numbers_of_the_caller(checkpoint: Path) -> None:
    before = torch.get_rng_state()
    Engine.load(checkpoint)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_checkpoint_and_its_folder_have_one_checksum(checkpoint: Path, folder: Path) -> None:
    said = json.loads((folder / CARD_FILE).read_text())["checksum"]
    packed = (folder / WEIGHTS_FILE).read_bytes()
    assert said == "sha256:" + hashlib.sha256(packed).hexdigest()
    for path in (checkpoint, folder):
        assert Artifact.load(path).checksum == Engine.load(path).checksum == said


def test_other_numbers_have_another_checksum(folder: Path) -> None:
    artifact = Artifact.load(folder)
    name, tensor = next(iter(artifact.weights.items()))
    for other in (
        replace(artifact, weights=dict(artifact.weights) | {name: tensor + 1}),
        replace(artifact, scorer={"memory": torch.zeros(2, 4)}),
    ):
        assert other.checksum != artifact.checksum
        assert replace(other, weights=artifact.weights, scorer={}).checksum == artifact.checksum


def test_no_weights_are_hashed_twice(
    folder: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = []

    def count(content: Any) -> Any:
        hashed.append(content)
        return hashlib.sha256(content)

    monkeypatch.setattr("rvae.inference.artifact.hashlib", SimpleNamespace(sha256=count))
    for path in (checkpoint, folder):
        hashed.clear()
        artifact = Artifact.load(path)
        artifact.save(tmp_path / "again")
        assert Engine(artifact).checksum == artifact.checksum
        assert len(hashed) == 1


def test_damaged_weights_are_noticed(folder: Path) -> None:
    weights = bytearray((folder / WEIGHTS_FILE).read_bytes())
    weights[-1] ^= 1
    (folder / WEIGHTS_FILE).write_bytes(weights)
    with pytest.raises(FieldError, match="damaged"):
        Artifact.load(folder)


def test_another_format_is_refused(folder: Path) -> None:
    card = json.loads((folder / CARD_FILE).read_text())
    (folder / CARD_FILE).write_text(json.dumps(card | {"format": 99}))
    with pytest.raises(FieldError, match="format: is 99"):
        Artifact.load(folder)


class Trap:
    def __reduce__(self) -> Any:
        return (exec, ("raise SystemExit('unpickled')",))


@pytest.mark.parametrize(
    "content", ["nothing", "text", "trap", "foreign", "tensor", "list", "old", "truncated"]
)
def test_what_is_no_checkpoint_is_said_and_never_run(
    checkpoint: Path, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "model.ckpt"
    if content == "text":
        path.write_text("hello")
    elif content == "trap":
        path.write_bytes(pickle.dumps(Trap()))
    elif content == "foreign":
        torch.save({"state_dict": {}}, path)
    elif content == "tensor":
        torch.save(torch.zeros(3), path)
    elif content in ("list", "old"):
        good = torch.load(checkpoint, weights_only=True)
        if content == "list":
            good["state_dict"] = [1, 2]
        else:
            good[CARD_KEY]["format"] = 0
        torch.save(good, path)
    elif content == "truncated":
        path.write_bytes(checkpoint.read_bytes()[:-1000])
    with pytest.raises(FieldError) as caught:
        Artifact.load(path)
    assert caught.value.field == ("format" if content == "old" else "checkpoint")


def test_weights_of_another_network_are_refused(folder: Path) -> None:
    artifact = Artifact.load(folder)
    weights = {name: tensor[:-1] for name, tensor in artifact.weights.items()}
    with pytest.raises(FieldError, match="do not fit"):
        Artifact(artifact.card, weights).build()


@pytest.mark.parametrize("card", ["{}", "[]", "nonsense", "1"])
def test_a_broken_card_is_said(folder: Path, card: str) -> None:
    (folder / CARD_FILE).write_text(card)
    with pytest.raises(FieldError) as caught:
        Artifact.load(folder)
    assert caught.value.field == "checkpoint"


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(FieldError) as caught:
        Artifact.load(tmp_path)
    assert caught.value.field == "checkpoint"


def test_a_saved_checkpoint_holds_the_same_model(checkpoint: Path, tmp_path: Path) -> None:
    artifact = Artifact.load(checkpoint)
    artifact.save_checkpoint(tmp_path / "new" / "copy.ckpt")
    copy = Artifact.load(tmp_path / "new" / "copy.ckpt")
    assert copy.checksum == artifact.checksum
    assert copy.card.to_dict() == artifact.card.to_dict()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["copy.ckpt"]
