"""Folders of a running server: its sockets, and what it writes for a while.

Each is locked for as long as its server lives, however that ends. What a server that was killed has
left is removed by the next one.
"""

import fcntl
import os
import shutil
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from rvae.errors import require

__all__ = ["Scratch", "remove_abandoned", "require_short"]

PREFIX = "rvae-serve-"
LOCK = ".lock"
# Of the paths of sockets in it, the longest end. TorchServe adds its workers' own, which are
# shorter.
LONGEST = f"/{PREFIX}xxxxxxxx/management.sock"
MAX_SOCKET_PATH = 107  # bytes: `sockaddr_un.sun_path` has 108, with a zero at the end


class Scratch:
    """A folder that only this user can enter, until it is removed.

    Attributes:
        path: The folder.
        lock: Open file by which others see that it is in use; also by processes that inherit it.

    Raises:
        FieldError: If the folder for temporary files has too long a path for sockets in it.
    """

    def __init__(self) -> None:
        require_short(tempfile.gettempdir())
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        unfinished = self.path / f"{LOCK}.unfinished"
        self.lock = unfinished.open("w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        unfinished.rename(self.path / LOCK)  # it is never seen without being locked

    def remove(self) -> None:
        """Remove the folder, with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.lock.close()


def remove_abandoned() -> None:
    """Remove the folders of this user whose servers have ended without removing them.

    Those without a lock are left alone: nobody knows whether they are in use.
    """
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError), ExitStack() as opened:  # in use, not of this user, or gone
            folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            opened.callback(os.close, folder)
            lock = os.open(LOCK, os.O_RDWR | os.O_NOFOLLOW, dir_fd=folder)
            opened.callback(os.close, lock)
            if os.fstat(folder).st_uid == os.geteuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)


def require_short(temporary: str) -> None:
    """Raise a `FieldError` unless sockets fit into a folder for temporary files."""
    beyond = len(os.fsencode(temporary + LONGEST)) - MAX_SOCKET_PATH
    require(beyond <= 0, "TMPDIR", f"{temporary} is {beyond} bytes too long for sockets in it")
