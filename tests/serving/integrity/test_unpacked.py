import os
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.integrity.sums import SUMS_FILE, digest
from rvae.serving.integrity.unpacked import read_unpacked


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("card.json", "rvae/engine.py", SUMS_FILE, "rvae/__pycache__/engine.pyc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_every_file_is_read(folder: Path) -> None:
    content = read_unpacked(folder, compiled=False)
    names = ("card.json", "rvae/engine.py", "rvae/__pycache__/engine.pyc")
    assert content.digests == {name: digest([name.encode()]) for name in names}
    assert (content.sums, content.signature) == (SUMS_FILE.encode(), None)


def test_what_python_compiled_is_passed_over_where_it_may_be(folder: Path) -> None:
    content = read_unpacked(folder, compiled=True)
    assert content.digests.keys() == {"card.json", "rvae/engine.py"}


def test_links_and_pipes_are_refused(folder: Path) -> None:
    (folder / "rvae" / "link").symlink_to("/etc")
    with pytest.raises(FieldError, match="rvae/link is no plain file"):
        read_unpacked(folder, compiled=False)
    (folder / "rvae" / "link").unlink()
    (folder / "rvae" / "__pycache__" / "engine.pyc").unlink()
    (folder / "rvae" / "__pycache__").rmdir()
    (folder / "rvae" / "__pycache__").symlink_to("/etc")
    with pytest.raises(FieldError, match="rvae/__pycache__ is no plain file"):
        read_unpacked(folder, compiled=True)
    (folder / "rvae" / "__pycache__").unlink()
    os.mkfifo(folder / "pipe")
    with pytest.raises(FieldError, match="pipe is no plain file"):
        read_unpacked(folder, compiled=False)


def test_a_folder_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match="No such file"):
        read_unpacked(tmp_path / "absent", compiled=False)
