import json
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from rvae.errors import FieldError
from rvae.inference.checkpoints import CARD_KEY
from rvae.serving.integrity import SUMS_FILE, TrustedKeys, require_intact
from rvae.serving.packaging import build_archive
from tests.support.archives import key_pair


def test_the_archive_holds_what_a_server_needs(checkpoint: Path, tmp_path: Path) -> None:
    path = build_archive(checkpoint, "waves", "2.1", tmp_path / "new" / "store")
    assert path == tmp_path / "new" / "store" / "waves-2.1.mar"
    with zipfile.ZipFile(path) as packed:
        names = set(packed.namelist())
        manifest = json.loads(packed.read("MAR-INF/MANIFEST.json"))
    assert {"weights.safetensors", "card.json", "rvae_handler.py", "model-config.yaml"} <= names
    assert {"rvae/__init__.py", "rvae/networks/recurrent.py"} <= names
    assert not [name for name in names if name.endswith((".pyc", ".ckpt", ".pt", ".pkl"))]
    assert manifest["model"]["modelName"] == "waves"
    assert manifest["model"]["modelVersion"] == "2.1"


def test_the_same_checkpoint_gives_the_same_bytes(checkpoint: Path, tmp_path: Path) -> None:
    one, two = (build_archive(checkpoint, "waves", "1.0", tmp_path / n) for n in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.slow
def test_archives_built_at_once_do_not_clash(checkpoint: Path, tmp_path: Path) -> None:
    alone = build_archive(checkpoint, "waves", "1.0", tmp_path / "alone").read_bytes()
    with ThreadPoolExecutor(4) as pool:
        futures = [
            pool.submit(build_archive, checkpoint, "waves", "1.0", tmp_path / "shared", force=True)
            for _ in range(4)
        ]
        paths = {future.result() for future in futures}
    assert len(paths) == 1
    assert paths.pop().read_bytes() == alone
    assert [p.name for p in (tmp_path / "shared").iterdir()] == ["waves-1.0.mar"]


def test_an_archive_is_not_replaced_unless_that_is_asked_for(
    checkpoint: Path, tmp_path: Path
) -> None:
    path = tmp_path / "waves-1.0.mar"
    path.write_text("precious")
    with pytest.raises(FieldError, match=r"waves-1\.0\.mar exists: .* --force") as caught:
        build_archive(checkpoint, "waves", "1.0", tmp_path)
    assert caught.value.field == "version"
    assert path.read_text() == "precious"
    assert build_archive(checkpoint, "waves", "1.0", tmp_path, force=True) == path
    assert zipfile.is_zipfile(path)


def test_its_library_needs_no_lightning(checkpoint: Path, tmp_path: Path) -> None:
    """All that the handler imports, from the archive alone, with training packages barred."""
    with zipfile.ZipFile(build_archive(checkpoint, "waves", "1.0", tmp_path)) as packed:
        packed.extractall(tmp_path / "model")
    program = """
import sys
barred = ("pytorch_lightning", "lightning", "pyarrow", "sklearn", "matplotlib", "tensorboard",
          "rich", "jsonargparse", "requests", "ts", "pickle5")
class Barrier:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in barred:
            raise ImportError(name)
sys.meta_path.insert(0, Barrier())
sys.path.insert(0, sys.argv[1])
import rvae, rvae_handler
assert rvae.__file__.startswith(sys.argv[1]) and rvae_handler.__file__.startswith(sys.argv[1])
from rvae.serving.contract.messages import Request
from rvae.serving.service import Limits, Service
service = Service(rvae.Engine.load(sys.argv[1]), "waves", "1.0", Limits())
service.warm_up()
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "version", "field"),
    [
        ("", "1.0", "name"),
        ("a/b", "1.0", "name"),
        ("../a", "1.0", "name"),
        ("waves", "", "version"),
        ("waves", "1 0", "version"),
        ("waves", "1.0/../../x", "version"),
    ],
)
def test_names_that_addresses_cannot_carry_are_refused(
    checkpoint: Path, tmp_path: Path, name: str, version: str, field: str
) -> None:
    with pytest.raises(FieldError) as caught:
        build_archive(checkpoint, name, version, tmp_path)
    assert caught.value.field == field


def test_an_uncalibrated_checkpoint_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    content = torch.load(checkpoint, weights_only=True)
    content[CARD_KEY]["calibration"] = None
    torch.save(content, tmp_path / "unfinished.ckpt")
    with pytest.raises(FieldError) as caught:
        build_archive(tmp_path / "unfinished.ckpt", "waves", "1.0", tmp_path)
    assert caught.value.field == "checkpoint"
    assert not list(tmp_path.glob("*.mar"))


def test_an_archive_vouches_for_its_content(checkpoint: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, "release")
    plain = build_archive(checkpoint, "waves", "1.0", tmp_path / "plain")
    assert require_intact(plain).has_sums
    signed = build_archive(checkpoint, "waves", "1.0", tmp_path / "signed", private)
    trusted = TrustedKeys.read(public)
    assert require_intact(signed, trusted).signer == trusted.names
    with pytest.raises(FieldError, match="is not signed"):
        require_intact(plain, trusted)
    again = build_archive(checkpoint, "waves", "1.0", tmp_path / "again", private)
    assert again.read_bytes() == signed.read_bytes()
    with zipfile.ZipFile(signed) as packed:
        packed.extractall(tmp_path / "model")
    command = ["sha256sum", "-c", "--quiet", "--strict", SUMS_FILE]
    subprocess.run(command, cwd=tmp_path / "model", check=True)


def test_nothing_is_written_without_the_key_that_signs(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(FieldError, match="No such file"):
        build_archive(checkpoint, "waves", "1.0", tmp_path / "store", tmp_path / "absent.pem")
    assert not list((tmp_path / "store").iterdir())
