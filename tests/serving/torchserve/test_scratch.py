"""The folder of a server."""

import os
import socket
import tempfile
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.torchserve.scratch import make_scratch, require_short


def test_nobody_else_can_enter_it() -> None:
    before = os.umask(0)
    try:
        folder = make_scratch()
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.rmdir()


def test_the_longest_path_of_a_folder_in_which_sockets_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = "/tmp/" + "x" * 66
    require_short(longest)
    with pytest.raises(FieldError, match=r"TMPDIR: .* is 1 bytes too long"):
        require_short(longest + "x")
    # Bytes count, not letters.
    with pytest.raises(FieldError, match="1 bytes"):
        require_short(longest[:-1] + "ü")
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        folder = Path(short) / ("x" * (len(longest) - len(short) - 1))
        folder.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        scratch = make_scratch()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(scratch / "management.sock"))
            with pytest.raises(OSError, match="too long"):
                listener.bind(str(scratch / "managements.sock"))


def test_a_folder_that_is_too_long_is_said_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with pytest.raises(FieldError, match="TMPDIR"):
        make_scratch()
    assert list(folder.iterdir()) == []
