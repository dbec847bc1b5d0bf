import subprocess
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.integrity.sums import (
    SUMS_FILE,
    digest,
    read_sums,
    require_plain,
    require_same,
    write_sums,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "MAR-INF").mkdir()
    (tmp_path / "MAR-INF" / "MANIFEST.json").write_text("{}")
    (tmp_path / "a name.txt").write_text("content")
    return tmp_path


def test_what_is_written_can_be_read_and_covers_everything_else(folder: Path) -> None:
    first = write_sums(folder)
    found = read_sums(first)
    assert found.keys() == {"MAR-INF/MANIFEST.json", "a name.txt"}
    assert found["a name.txt"] == digest([b"con", b"tent"])
    assert write_sums(folder) == first == (folder / SUMS_FILE).read_bytes()


def test_sha256sum_reads_it(folder: Path) -> None:
    write_sums(folder)
    command = ["sha256sum", "-c", "--strict", SUMS_FILE]
    assert subprocess.run(command, cwd=folder, capture_output=True).returncode == 0
    (folder / "a name.txt").write_text("other")
    assert subprocess.run(command, cwd=folder, capture_output=True).returncode != 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"\xff",
        b"a" * 64,
        b"A" * 64 + b"  x\n",
        b"a" * 64 + b" *x\n",
        b"a" * 64 + b"  x\n\n",
        (b"a" * 64 + b"  x\n") * 2,
    ],
)
def test_what_is_no_list_of_checksums_is_refused(content: bytes) -> None:
    with pytest.raises(FieldError, match="no list of checksums"):
        read_sums(content)


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../x", "a/../../x", "a/./b", "a//b", "", "a\\b", "a\nb", "a\0b", "..", "a/.."],
)
def test_paths_to_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(FieldError, match="no path within it"):
        require_plain(name)


def test_lists_of_files_elsewhere_are_refused() -> None:
    with pytest.raises(FieldError, match="no path within it"):
        read_sums(b"a" * 64 + b"  ../x\n")


@pytest.mark.parametrize("name", ["a", "a/b.c", "..a/b..", "größe/数"])
def test_paths_within_are_not(name: str) -> None:
    require_plain(name)


def test_every_difference_is_named() -> None:
    built = {"gone": "1", "kept": "2", **{f"changed{i}": "3" for i in range(5)}}
    found = {"kept": "2", "new": "4", **{f"changed{i}": "5" for i in range(5)}}
    with pytest.raises(FieldError) as caught:
        require_same(built, found)
    assert caught.value.message == (
        "gone is missing; new is not in its checksums; "
        "changed0, changed1, changed2 and 2 more are not as they were built"
    )
    require_same(built, dict(built))
