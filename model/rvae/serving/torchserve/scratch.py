"""The folder of a running TorchServe: its sockets, and what it writes for a while."""

import os
import tempfile
from pathlib import Path

from rvae.errors import require

__all__ = ["make_scratch", "require_short"]

PREFIX = "rvae-serve-"
# Of the paths of sockets in it, the longest end. TorchServe adds its workers' own, which are
# shorter.
LONGEST = f"/{PREFIX}xxxxxxxx/management.sock"
MAX_SOCKET_PATH = 107  # bytes: `sockaddr_un.sun_path` has 108, with a zero at the end


def make_scratch() -> Path:
    """Make a folder that only this user can enter.

    Raises:
        FieldError: If the folder for temporary files has too long a path for sockets in it.
    """
    require_short(tempfile.gettempdir())
    return Path(tempfile.mkdtemp(prefix=PREFIX))


def require_short(temporary: str) -> None:
    """Raise a `FieldError` unless sockets fit into a folder for temporary files."""
    beyond = len(os.fsencode(temporary + LONGEST)) - MAX_SOCKET_PATH
    require(beyond <= 0, "TMPDIR", f"{temporary} is {beyond} bytes too long for sockets in it")
