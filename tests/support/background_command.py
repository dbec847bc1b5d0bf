"""A command that changes servers, beside the test."""

import subprocess
import sys
from pathlib import Path

from tests.support.waiting import wait_for

__all__ = ["BackgroundCommand"]


class BackgroundCommand:
    """A command in a process of its own, whose output is kept.

    Args:
        printed: File for the output.
        socket: What the command is for.
        words: The command.
    """

    def __init__(self, printed: Path, socket: Path, *words: object) -> None:
        self.printed = printed
        command = [*map(str, words), "--socket", str(socket)]
        with printed.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "rvae.cli", *command],
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def await_step(self, name: str) -> None:
        """Return once a step has begun."""
        wait_for(lambda: f"\n{name} " in self.printed.read_text(), 120)

    def end(self, *expected: str) -> int:
        """The status, once it has ended; and what it must have said."""
        status = self.process.wait(300)
        said = self.printed.read_text()
        print(said)
        assert all(words in said for words in expected), said
        return status
