"""Unix sockets in folders of any depth: a path of a socket may have 107 bytes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["short_path"]


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A short name of a socket, for the time that it takes to bind or to connect.

    Args:
        path: The socket.

    Raises:
        OSError: If its folder cannot be opened.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
