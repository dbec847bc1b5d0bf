"""What the commands that change a running server share."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rvae.errors import FieldError

if TYPE_CHECKING:
    from rvae.serving.versions.servers import Servers
    from rvae.serving.versions.steps import Steps

__all__ = ["changing"]


@contextmanager
def changing(socket: Path | None) -> Iterator[tuple["Servers", "Steps"]]:
    """A context in which no other command changes the servers, and whose steps are printed.

    Args:
        socket: Management socket of a server, or a folder of sockets; see `asked_socket`.

    Raises:
        FieldError: If another command changes one of them, or there is none.
    """
    from rvae.serving.management_sockets import asked_socket, sockets_at
    from rvae.serving.versions.servers import Servers
    from rvae.serving.versions.steps import Steps, interruptible

    path = asked_socket(socket)
    sockets_at(path)
    # The lock is of the folder, and so of all servers in it, for commands of every container that
    # has this folder. It ends with this process, however that ends.
    folder = os.open(path if path.is_dir() else path.parent, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FieldError("socket", f"another command changes {path} now") from None
        with interruptible():
            yield Servers(path), Steps(_write)
    finally:
        os.close(folder)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
