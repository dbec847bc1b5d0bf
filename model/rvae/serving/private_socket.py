"""A Unix socket that a server listens on for the user who started it."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from rvae.errors import FieldError, require
from rvae.serving.unix_path import short_path

__all__ = ["PrivateSocket"]

BACKLOG = 100


class PrivateSocket:
    """A Unix socket for this user alone; one that a killed server left behind is replaced.

    Whoever connects from now on waits until somebody accepts.

    Args:
        path: Where it lies. Its folder is made if it is not there.

    Attributes:
        path: As given, absolute.
        listener: The socket.

    Raises:
        FieldError: If another server listens there, or none can.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.listener = socket.socket(socket.AF_UNIX)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with _alone(self.path):
                self._replace_stale()
                with short_path(self.path) as name:
                    self.listener.bind(name)
                self.path.chmod(0o600)  # nobody can connect before it listens
                self.listener.listen(BACKLOG)
                self._identity = _identity(self.path)
        except OSError as error:
            self.listener.close()
            raise FieldError("socket", f"cannot listen on {path}: {error}") from None
        except FieldError:
            self.listener.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Listen no more, and remove the socket, unless another one took its place."""
        self.listener.close()
        with suppress(OSError):
            if _identity(self.path) == self._identity:
                self.path.unlink()

    def _replace_stale(self) -> None:
        if not self.path.is_socket():
            return  # what is something else is not ours to remove
        if _is_heard(self.path):
            raise FieldError("socket", f"another server listens on {self.path}: end it first")
        self.path.unlink()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """A context in which no other server takes a socket: it would not seem to listen yet.

    Raises:
        FieldError: If another one does.
    """
    lock = path.with_name(f".{path.name}.lock")
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_own = os.path.samestat(os.fstat(handle), lock.stat())
        except (BlockingIOError, FileNotFoundError):
            is_own = False
        require(is_own, "socket", f"another server takes {path} at this moment")
        try:
            yield
        finally:
            lock.unlink()
    finally:
        os.close(handle)


def _identity(path: Path) -> tuple[int, int]:
    """What tells a socket from another one of this name."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns  # numbers of files are used again


def _is_heard(path: Path) -> bool:
    """Whether somebody listens on a socket."""
    with socket.socket(socket.AF_UNIX) as probe, short_path(path) as name:
        probe.setblocking(False)
        try:
            probe.connect(name)
        except ConnectionRefusedError:
            return False
        except BlockingIOError:
            pass  # as many wait already as may
    return True
