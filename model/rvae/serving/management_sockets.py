"""Where the sockets of management lie: that of one server, or those of several in one folder."""

import os
from pathlib import Path
from socket import gethostname

from rvae.errors import require

__all__ = ["VARIABLE", "asked_socket", "own_socket", "sockets_at"]

NAME, SUFFIX = "management.sock", ".sock"
VARIABLE = "RVAE_SOCKET"


def own_socket(given: Path | None, logs: Path) -> Path:
    """The socket of a server.

    Args:
        given: The socket, or a folder in which it has the name of this host; the one in the folder
            of logs if None.
        logs: Folder of the server's logs.
    """
    if given is None:
        return logs / NAME
    return given / f"{gethostname()}{SUFFIX}" if given.is_dir() else given


def asked_socket(given: Path | None) -> Path:
    """What a command is for: a socket, or a folder of sockets.

    Args:
        given: By the user; that of the environment, or of a server in this folder, if None.
    """
    if given is not None:
        return given
    said = os.environ.get(VARIABLE)
    return Path(said).expanduser() if said else Path("logs") / NAME


def sockets_at(path: Path) -> list[Path]:
    """A socket, or all in a folder, by name.

    Raises:
        FieldError: If there is none.
    """
    found = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
    missing = f"no rvae serve has {'a socket in ' if path.is_dir() else ''}{path}"
    there = bool(found) and (path.is_dir() or path.exists())
    require(there, "socket", f"{missing}: start one, or name its socket")
    return found
