"""The folder of a server."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import pytest

from rvae.errors import FieldError
from rvae.serving.torchserve.scratch import LOCK, Scratch, remove_abandoned, require_short
from tests.support.waiting import wait_for


def test_nobody_else_can_enter_it() -> None:
    before = os.umask(0)
    try:
        made = Scratch()
    finally:
        os.umask(before)
    assert made.path.stat().st_mode & 0o777 == 0o700
    made.remove()
    assert not made.path.exists() and made.lock.closed


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
        made = Scratch()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(made.path / "management.sock"))
            with pytest.raises(OSError, match="too long"):
                listener.bind(str(made.path / "managements.sock"))
        made.remove()


def test_a_folder_that_is_too_long_is_said_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with pytest.raises(FieldError, match="TMPDIR"):
        Scratch()
    assert list(folder.iterdir()) == []


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files."""
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        yield Path(short)


# Makes a folder as a server does, with a child that inherits the lock where it is asked for.
KILLED = """
import subprocess, sys, time
from rvae.serving.torchserve.scratch import Scratch
made = Scratch()
(made.path / "models").mkdir()
(made.path / "models" / "weights").touch()
kept = [made.lock.fileno()] if sys.argv[1:] else []
child = subprocess.Popen(["sleep", "600"], pass_fds=kept)
print(made.path, child.pid, flush=True)
time.sleep(600)
"""


@contextmanager
def killed(temporary: Path, *arguments: str) -> Iterator[tuple[Path, int]]:
    """The folder of a server that was killed, and a child of it that lives."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, *arguments],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as printed:
        folder, child = printed.readline().split()
    remove_abandoned()
    assert (Path(folder) / "models" / "weights").exists()
    process.kill()
    process.wait()
    try:
        yield Path(folder), int(child)
    finally:
        with suppress(ProcessLookupError):
            os.kill(int(child), signal.SIGKILL)


def test_what_a_killed_server_has_left_is_removed_and_nothing_else(temporary: Path) -> None:
    own = Scratch()
    (temporary / "rvae-other").mkdir()
    (temporary / "rvae-serve-file").touch()
    unlocked = temporary / "rvae-serve-unlocked"  # of an earlier version, or not locked yet
    unlocked.mkdir()
    with killed(temporary) as (folder, _):
        elsewhere = temporary / "elsewhere"
        elsewhere.mkdir()
        (folder / "link").symlink_to(elsewhere)
        (temporary / "rvae-serve-link").symlink_to(folder)
        remove_abandoned()
        assert not folder.exists()
    assert own.path.exists() and unlocked.exists() and elsewhere.exists()
    assert len(list(temporary.iterdir())) == 6
    own.remove()


def test_a_folder_is_in_use_while_a_process_lives_that_was_given_its_lock(temporary: Path) -> None:
    with killed(temporary, "inherited") as (folder, child):
        remove_abandoned()
        assert folder.exists()
        os.kill(child, signal.SIGKILL)

        def is_removed() -> bool:
            remove_abandoned()
            return not folder.exists()

        wait_for(is_removed)


def test_what_belongs_to_another_user_is_left_alone(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed(temporary) as (folder, _):
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        remove_abandoned()
        assert folder.exists()


def test_a_lock_is_never_seen_open(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever removes what is abandoned may look at any moment."""
    lock = fcntl.flock

    def look(file: TextIO, how: int) -> None:
        remove_abandoned()
        lock(file, how)

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", look)
        made = Scratch()
    remove_abandoned()
    assert (made.path / LOCK).exists()
    made.remove()
