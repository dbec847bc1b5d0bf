"""Disks that are almost full, in words."""

from pathlib import Path

import pytest

from rvae.serving.torchserve.supervision import health
from rvae.serving.torchserve.supervision.health import full_disks


def test_a_full_disk_and_a_missing_folder_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "missing"
    assert full_disks([tmp_path]) == []
    assert full_disks([missing, tmp_path]) == [f"{missing}: No such file or directory"]
    monkeypatch.setattr(health, "LEAST_FREE", 1 << 60)
    (words,) = full_disks([tmp_path])
    assert words.startswith(f"{tmp_path}: ") and words.endswith(" MiB of the disk are free")
