"""Steps of a change: each is said with its time, and all are undone if one fails."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, TypeVar

from rvae.errors import FieldError

__all__ = ["Steps", "interruptible", "whole"]

WIDTH = 10  # of the names

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Finding(Protocol):
    """What a step found."""

    @property
    def words(self) -> str:
        """One sentence on it."""


F = TypeVar("F", bound=Finding)


class Steps:
    """Runs steps, and remembers how they are undone.

    Args:
        write: Prints text as it is.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._undoing: list[Callable[[], str]] = []

    def run(self, name: str, step: Callable[[], str]) -> None:
        """Run a step, and say what it says and how long it took.

        Args:
            name: A word.
            step: Returns what was done, or found.
        """
        with self._timed(name) as said:
            said.append(step())

    def find(self, name: str, step: Callable[[], F]) -> F:
        """Run a step as `run` does, and return what it found."""
        with self._timed(name) as said:
            found = step()
            said.append(found.words)
        return found

    def undo_by(self, action: Callable[[], str]) -> None:
        """Undo the step that follows by an action, which says what it did; "" is not said.

        It is named before the step, which may be interrupted when half of it is done. So it must be
        harmless if nothing was.
        """
        self._undoing.append(action)

    @contextmanager
    def undone_on_failure(self) -> Iterator[None]:
        """A context whose steps are undone, the last one first, if it is left by an exception.

        The exception is raised again. Nothing interrupts the undoing.
        """
        try:
            yield
        except BaseException:
            with _uninterrupted():
                self._undo()
            raise
        self._undoing.clear()

    @contextmanager
    def _timed(self, name: str) -> Iterator[list[str]]:
        """A context of one step, in which words on it are collected."""
        self._write(f"{name:{WIDTH}}")
        begin = time.monotonic()
        said: list[str] = []
        try:
            yield said
        except BaseException as error:
            said = [_reason(error)]
            raise
        finally:
            self._write(f"{' '.join(said)} ({time.monotonic() - begin:.1f} s)\n")

    def _undo(self) -> None:
        while self._undoing:
            action = self._undoing.pop()
            try:
                said = action()
            except Exception as error:  # what is left must be undone all the same
                said = f"not undone: {error}"
            if said:
                self._write(f"{'undo':{WIDTH}}{said}\n")


def interruptible() -> AbstractContextManager[None]:
    """A context in which SIGTERM does the same as Ctrl-C, and that in every shell.

    A shell starts background jobs with SIGINT ignored.
    """
    return _handled(signal.default_int_handler)


@contextmanager
def whole() -> Iterator[None]:
    """A context that Ctrl-C and SIGTERM do not interrupt: they do so at its end.

    Whoever hangs up does not know what the server will still do, and so not what is to undo.

    Raises:
        KeyboardInterrupt: If there was one.
    """
    asked: list[int] = []
    with _handled(lambda number, frame: asked.append(number)):
        yield
    if asked:
        raise KeyboardInterrupt


def _uninterrupted() -> AbstractContextManager[None]:
    return _handled(signal.SIG_IGN)


@contextmanager
def _handled(handler: Any) -> Iterator[None]:
    before = [(one, signal.signal(one, handler)) for one in SIGNALS]
    try:
        yield
    finally:
        for one, earlier in before:
            signal.signal(one, earlier)


def _reason(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return f"failed: {error.message if isinstance(error, FieldError) else error}"
