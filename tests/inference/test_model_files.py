import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.model_files import CARD_FILE, WEIGHTS_FILE, find_model


def test_a_folder_leads_to_its_model(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "other.ckpt").touch()
    assert find_model(tmp_path) == find_model(tmp_path / "other.ckpt") == tmp_path / "other.ckpt"
    (tmp_path / "model.ckpt").touch()
    assert find_model(tmp_path) == tmp_path / "model.ckpt"
    (tmp_path / CARD_FILE).touch()
    assert find_model(tmp_path) == tmp_path


def test_a_store_with_one_archive_leads_to_it(tmp_path: Path) -> None:
    (tmp_path / ".gitkeep").touch()
    (tmp_path / "waves-1.mar").touch()
    assert find_model(tmp_path) == tmp_path / "waves-1.mar"


def test_what_a_folder_holds_instead_of_one_model_is_said(tmp_path: Path) -> None:
    def message() -> str:
        with pytest.raises(FieldError) as caught:
            find_model(tmp_path)
        assert caught.value.field == "checkpoint"
        return caught.value.message

    assert message() == f"no model in {tmp_path}: it is empty"
    (tmp_path / "runs").mkdir()
    for number in range(11):
        (tmp_path / f"{number:02}.csv").touch()
    listed = ", ".join(["runs/", *(f"{number:02}.csv" for number in range(9))])
    assert message() == f"no model in {tmp_path}: it holds {listed}, …"
    for name in ("a.ckpt", "b.mar"):
        (tmp_path / name).touch()
    assert message() == f"{tmp_path} holds several models, name one: a.ckpt, b.mar"


def test_a_model_is_read_from_an_archive_where_it_is(checkpoint: Path, tmp_path: Path) -> None:
    artifact = Artifact.load(checkpoint)
    artifact.save(tmp_path / "artifact")
    archive = tmp_path / "waves.mar"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in (CARD_FILE, WEIGHTS_FILE):
            packed.write(tmp_path / "artifact" / name, name)
        packed.writestr("../outside.py", "raise SystemExit")
    before = sorted(tmp_path.rglob("*"))
    loaded = Artifact.load(archive)
    assert loaded.checksum == artifact.checksum
    assert loaded.card.channels == artifact.card.channels
    for name, array in artifact.weights.items():
        np.testing.assert_array_equal(loaded.weights[name], array, strict=True)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_archive_with_damaged_weights_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    Artifact.load(checkpoint).save(tmp_path)
    card = json.loads((tmp_path / CARD_FILE).read_text()) | {"checksum": "sha256:0"}
    with zipfile.ZipFile(tmp_path / "waves.mar", "w") as packed:
        packed.write(tmp_path / WEIGHTS_FILE, WEIGHTS_FILE)
        packed.writestr(CARD_FILE, json.dumps(card))
    with pytest.raises(FieldError, match=r"the weights in .*waves.mar.* are damaged"):
        Artifact.load(tmp_path / "waves.mar")
