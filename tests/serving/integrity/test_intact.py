"""Archives of a model, of which somebody changed something."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.integrity import SIGNATURE_FILE, SUMS_FILE, TrustedKeys, require_intact
from rvae.serving.packaging import build_archive
from tests.support.archives import edited, key_pair


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two pairs of keys."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("release", "other"):
        key_pair(folder, name)
    return folder


@pytest.fixture(scope="module")
def release(keys: Path) -> TrustedKeys:
    return TrustedKeys.read(keys / "release-public.pem")


@pytest.fixture(scope="module")
def archive(checkpoint: Path, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signed")
    return build_archive(checkpoint, "waves", "1.0", folder, keys / "release.pem")


@pytest.fixture(scope="module")
def unsigned(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_archive(checkpoint, "waves", "1.0", tmp_path_factory.mktemp("unsigned"))


@pytest.fixture(scope="module")
def old(unsigned: Path) -> Path:
    """As archives were that had no checksums."""
    return edited(unsigned, unsigned.with_name("old.mar"), lambda f: (f / SUMS_FILE).unlink())


def refusal(path: Path, keys: TrustedKeys | None = None) -> str:
    with pytest.raises(FieldError) as caught:
        require_intact(path, keys)
    assert caught.value.message.startswith(f"{path.name}: ")
    return caught.value.message.removeprefix(f"{path.name}: ")


def test_what_was_built_is_intact(
    archive: Path, unsigned: Path, old: Path, release: TrustedKeys
) -> None:
    found = require_intact(archive, release)
    assert found.has_sums and found.is_signed and found.signer == release.names
    assert found.words.endswith(f"signed by {release.names}")
    assert require_intact(archive).words.endswith("signed, by whom was not checked")
    assert require_intact(unsigned).words.endswith("not signed")
    assert "by an earlier version" in require_intact(old).words


def test_servers_with_keys_take_nothing_else_than_what_was_signed(
    archive: Path, unsigned: Path, old: Path, keys: Path, release: TrustedKeys
) -> None:
    for path in (unsigned, old):
        assert (
            refusal(path, release) == f"it is not signed, and has to be by one of: {release.names}"
        )
    other = TrustedKeys.read(keys / "other-public.pem")
    assert refusal(archive, other) == f"its signature is by none of the trusted keys: {other.names}"


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte of the code": (
        lambda f: (f / "rvae/errors.py").write_bytes((f / "rvae/errors.py").read_bytes() + b"#"),
        "rvae/errors.py is not as it was built",
    ),
    "the end of the weights": (
        lambda f: (f / "weights.safetensors").write_bytes(b"cut off"),
        "weights.safetensors is not as it was built",
    ),
    "a missing file": (lambda f: (f / "card.json").unlink(), "card.json is missing"),
    "an additional file": (
        lambda f: (f / "sitecustomize.py").write_text("evil"),
        "sitecustomize.py is not in its checksums",
    ),
    "code that seems compiled": (
        lambda f: shutil.copytree(f / "rvae/data", f / "rvae/__pycache__"),
        "rvae/__pycache__/__init__.py, ",
    ),
    "another name": (
        lambda f: (f / "MAR-INF/MANIFEST.json").write_text(
            (f / "MAR-INF/MANIFEST.json").read_text().replace("1.0", "9.0")
        ),
        "MAR-INF/MANIFEST.json is not as it was built",
    ),
    "other checksums": (
        lambda f: (f / SUMS_FILE).write_text("x"),
        f"{SUMS_FILE} is no list of checksums",
    ),
    "no checksums": (lambda f: (f / SUMS_FILE).unlink(), f"{SUMS_FILE} is missing"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_is_named(archive: Path, tmp_path: Path, change: str) -> None:
    edit, message = CHANGES[change]
    assert refusal(edited(archive, tmp_path / "x.mar", edit)).startswith(message)


def test_new_checksums_need_a_new_signature(
    archive: Path, tmp_path: Path, release: TrustedKeys
) -> None:
    for change in ("a byte of the code", "an additional file", "another name"):
        path = edited(archive, tmp_path / f"{change}.mar", CHANGES[change][0], sealed=True)
        assert "by none of the trusted keys" in refusal(path, release)
        assert require_intact(path).is_signed


def test_the_signature_of_another_archive_is_none(
    checkpoint: Path, archive: Path, tmp_path: Path, keys: Path, release: TrustedKeys
) -> None:
    other = build_archive(checkpoint, "waves", "2.0", tmp_path, keys / "release.pem")
    require_intact(other, release)
    with zipfile.ZipFile(other) as packed:
        signature, sums = packed.read(SIGNATURE_FILE), packed.read(SUMS_FILE)
    path = edited(
        archive, tmp_path / "x.mar", lambda f: (f / SIGNATURE_FILE).write_bytes(signature)
    )
    assert "by none of the trusted keys" in refusal(path, release)
    path = edited(path, tmp_path / "y.mar", lambda f: (f / SUMS_FILE).write_bytes(sums))
    assert refusal(path, release) == "MAR-INF/MANIFEST.json is not as it was built"


def test_it_can_be_unpacked_and_packed_again(
    archive: Path, tmp_path: Path, release: TrustedKeys
) -> None:
    path = edited(archive, tmp_path / "x.mar", lambda folder: None)
    assert require_intact(path, release).signer == release.names


def test_the_folder_into_which_it_was_unpacked_is_checked_likewise(
    archive: Path, tmp_path: Path, release: TrustedKeys
) -> None:
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path / "model")
    model = tmp_path / "model"
    assert require_intact(model, release) == require_intact(archive, release)
    (model / "rvae" / "__pycache__").mkdir()
    (model / "rvae" / "__pycache__" / "errors.cpython-311.pyc").write_bytes(b"evil")
    require_intact(model, release, used=True)
    with pytest.raises(FieldError, match=r"errors\.cpython-311\.pyc is not in its checksums"):
        require_intact(model, release)
    (model / "rvae" / "errors.py").write_text("evil")
    with pytest.raises(FieldError, match=r"^archive: rvae/errors\.py is not as it was built"):
        require_intact(model, release, used=True)
