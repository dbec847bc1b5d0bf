"""The archives of a model store, without a server."""

import json
import zipfile
from pathlib import Path

import pytest

from rvae.errors import FieldError, require
from rvae.serving.model_store import Archive, list_archives, read_store


def write_archive(store: Path, file: str, name: str, version: str) -> Path:
    """An archive with nothing in it but what it calls itself."""
    manifest = {"model": {"modelName": name, "modelVersion": version}}
    with zipfile.ZipFile(store / file, "w") as packed:
        packed.writestr("MAR-INF/MANIFEST.json", json.dumps(manifest))
    return store / file


def test_the_newest_version_comes_first(tmp_path: Path) -> None:
    for version in ("1.0", "1.10", "1.9", "nightly"):
        write_archive(tmp_path, f"b-{version}.mar", "b", version)
    write_archive(tmp_path, "z.mar", "a", "2.0")
    listed = list_archives(tmp_path)
    assert [(archive.name, archive.version) for archive in listed] == [
        ("a", "2.0"),
        ("b", "1.10"),
        ("b", "1.9"),
        ("b", "1.0"),
        ("b", "nightly"),
    ]
    assert listed[0] == Archive(tmp_path / "z.mar", "a", "2.0")


def test_two_files_of_one_version_are_refused(tmp_path: Path) -> None:
    for file in ("one.mar", "two.mar"):
        write_archive(tmp_path, file, "m", "1.0")
    with pytest.raises(FieldError, match=r"two.mar and one.mar both hold m 1.0") as caught:
        list_archives(tmp_path)
    assert caught.value.field == "store"


@pytest.mark.parametrize(
    "content", [b"", b"no zip", b"PK\x03\x04 truncated"], ids=["empty", "text", "truncated"]
)
def test_a_file_that_is_no_archive_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.mar").write_bytes(content)
    with pytest.raises(FieldError, match=r"bad\.mar is not a model archive"):
        list_archives(tmp_path)


def test_an_archive_without_a_manifest_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bare.mar", "w") as packed:
        packed.writestr("weights", b"")
    with pytest.raises(FieldError, match=r"bare\.mar is not a model archive"):
        list_archives(tmp_path)


def test_an_empty_or_missing_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match="no archive in"):
        list_archives(tmp_path)
    with pytest.raises(FieldError, match="no such folder"):
        list_archives(tmp_path / "missing")


def test_one_bad_archive_does_not_keep_the_others_out(tmp_path: Path) -> None:
    whole = write_archive(tmp_path, "m-1.0.mar", "m", "1.0")
    (tmp_path / "cut.mar").write_bytes(whole.read_bytes()[:-30])
    (tmp_path / "empty.mar").touch()
    with zipfile.ZipFile(tmp_path / "bare.mar", "w") as packed:
        packed.writestr("weights", b"")
    write_archive(tmp_path, "a-copy.mar", "m", "1.0")
    write_archive(tmp_path, "strange-1.mar", "strange", "1")
    (tmp_path / "gone.mar").symlink_to(tmp_path / "nowhere")

    def check(path: Path) -> None:
        require(path.name != "strange-1.mar", "store", f"{path} is strange")

    content = read_store(tmp_path, check)
    assert [one.path.name for one in content.archives] == ["m-1.0.mar"]
    assert len(content.refused) == 6 and all("\n" not in line for line in content.refused)
    said = "; ".join(content.refused)
    for words in (
        "bare.mar is not a model archive: it has no manifest of a model",
        "cut.mar is not a model archive: it is no zip file, or is cut off",
        "empty.mar is not a model archive",
        "gone.mar is not a model archive: No such file",
        "strange-1.mar is strange",
        "a-copy.mar and m-1.0.mar both hold m 1.0",
    ):
        assert words in said
