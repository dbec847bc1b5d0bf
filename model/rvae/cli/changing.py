"""What the commands that change a running server share."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rvae.errors import FieldError, require

if TYPE_CHECKING:
    from rvae.serving.versions.management import Management
    from rvae.serving.versions.steps import Steps

__all__ = ["changing"]


@contextmanager
def changing(socket: Path) -> Iterator[tuple["Management", "Steps"]]:
    """A context in which no other command changes a server, and whose steps are printed.

    Args:
        socket: Management socket of the server.

    Raises:
        FieldError: If another command changes it, or no server has this socket.
    """
    from rvae.serving.versions.management import Management
    from rvae.serving.versions.steps import Steps, interruptible

    require(socket.exists(), "socket", f"no rvae serve has {socket}: start one, or name its socket")
    # The lock is of the folder, and ends with this process, however that ends.
    folder = os.open(socket.parent, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FieldError("socket", f"another command changes {socket} now") from None
        with interruptible():
            yield Management(socket), Steps(_write)
    finally:
        os.close(folder)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
