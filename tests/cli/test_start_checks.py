"""What a server would serve."""

import shutil
from pathlib import Path

import pytest

from rvae.cli.start_checks import check_start
from rvae.serving.torchserve.capacity import plan


def test_versions_memory_and_what_is_left_out_are_told(store: Path, tmp_path: Path) -> None:
    shutil.copy(store / "waves-1.0.mar", tmp_path)
    shutil.copy(store / "waves-1.10.mar", tmp_path)
    (tmp_path / "broken.mar").write_bytes(b"nothing")
    note, served, memory = check_start(tmp_path, tmp_path / "config")
    assert note.state == "note" and "left out: " in note.found and "broken.mar" in note.found
    assert served.found == "rvae serve would serve waves 1.10 (default), waves 1.0"
    assert memory.state == "ok" and "2 workers" in memory.found
    assert not (tmp_path / "config").exists()


def test_too_little_memory_is_a_problem(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "available_memory", lambda: 300_000_000)
    (check,) = check_start(store, tmp_path)
    assert check.state == "problem" and "300 MB are too few" in check.found


def test_a_store_without_archives_is_no_start(tmp_path: Path) -> None:
    assert list(check_start(tmp_path, tmp_path)) == []
