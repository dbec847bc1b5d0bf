"""Archives put into a store."""

from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.versions.store_copy import StoreCopy
from tests.support.fake_archives import fake_archive


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A store with one archive."""
    return fake_archive(tmp_path / "store", "1.0").path.parent


def names(store: Path) -> list[str]:
    return sorted(path.name for path in store.iterdir())


def test_an_archive_is_copied_and_removed(kept: Path, tmp_path: Path) -> None:
    archive = fake_archive(tmp_path / "built", "2.0")
    copy = StoreCopy(archive, kept)
    copy.make()
    assert names(kept) == ["waves-1.0.mar", "waves-2.0.mar"]
    assert (kept / copy.file).read_bytes() == archive.path.read_bytes()
    assert copy.remove() and not copy.remove()
    assert names(kept) == ["waves-1.0.mar"]


def test_an_archive_of_the_store_stays_where_it_is(kept: Path) -> None:
    copy = StoreCopy(fake_archive(kept, "2.0"), kept / ".." / "store")
    copy.make()
    copy.remove()
    assert copy.file == "waves-2.0.mar" and names(kept) == ["waves-1.0.mar", "waves-2.0.mar"]


def test_the_same_archive_under_another_name_is_used(kept: Path, tmp_path: Path) -> None:
    archive = fake_archive(tmp_path, "1.0")
    (kept / "waves-1.0.mar").write_bytes(archive.path.read_bytes())
    (kept / "waves-1.0.mar").rename(kept / "renamed.mar")
    copy = StoreCopy(archive, kept)
    copy.make()
    copy.remove()
    assert copy.file == "renamed.mar" and names(kept) == ["renamed.mar"]


def test_another_archive_of_the_version_is_an_error(kept: Path, tmp_path: Path) -> None:
    archive = fake_archive(tmp_path, "1.0")
    with archive.path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(FieldError, match=r"holds another waves 1\.0: build this one with a new"):
        StoreCopy(archive, kept)


def test_another_archive_of_the_name_is_an_error(kept: Path, tmp_path: Path) -> None:
    fake_archive(tmp_path, "2.0").path.rename(tmp_path / "waves-1.0.mar")
    from rvae.serving.model_store import read_archive

    with pytest.raises(FieldError, match="is another archive: rename this one"):
        StoreCopy(read_archive(tmp_path / "waves-1.0.mar"), kept)


def test_a_store_that_cannot_be_written_keeps_nothing(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    copy = StoreCopy(fake_archive(tmp_path / "built", "2.0"), kept)
    with pytest.raises(OSError, match="No space"):
        copy.make()
    assert names(kept) == ["waves-1.0.mar"]
