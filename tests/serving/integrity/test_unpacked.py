import os
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.integrity.sums import SUMS_FILE, digest, write_sums
from rvae.serving.integrity.unpacked import read_unpacked


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("card.json", "rvae/engine.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "MAR-INF").mkdir()
    write_sums(tmp_path)
    (tmp_path / "rvae" / "__pycache__").mkdir()
    (tmp_path / "rvae" / "__pycache__" / "engine.pyc").write_text("compiled")
    return tmp_path


def test_every_file_is_read(folder: Path) -> None:
    content = read_unpacked(folder, used=False)
    assert content.digests == {
        "card.json": digest([b"card.json"]),
        "rvae/engine.py": digest([b"rvae/engine.py"]),
        "rvae/__pycache__/engine.pyc": digest([b"compiled"]),
    }
    assert (content.sums, content.signature) == ((folder / SUMS_FILE).read_bytes(), None)


def test_what_came_since_is_passed_over_where_workers_have_run(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "card.json").unlink()
    content = read_unpacked(folder, used=True)
    assert content.digests == {"rvae/engine.py": digest([b"rvae/engine.py"])}
    (folder / SUMS_FILE).unlink()
    assert read_unpacked(folder, used=True).digests == {}


def test_links_and_pipes_are_refused(folder: Path) -> None:
    (folder / "rvae" / "link").symlink_to("/etc")
    with pytest.raises(FieldError, match="rvae/link is no plain file"):
        read_unpacked(folder, used=False)
    (folder / "rvae" / "link").unlink()
    os.mkfifo(folder / "pipe")
    with pytest.raises(FieldError, match="pipe is no plain file"):
        read_unpacked(folder, used=False)


def test_a_folder_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match="No such file"):
        read_unpacked(tmp_path / "absent", used=False)
