"""The command line, in this process and in one of its own."""

import io
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess
from unittest.mock import patch

from rvae.cli.main import main

__all__ = ["rvae", "rvae_process"]


def rvae(*arguments: object, cwd: Path) -> CompletedProcess[str]:
    """Run a command in this process, which saves the seconds that imports take.

    An exception that the command does not catch is raised here, where a process would print it.
    """
    command = ["rvae", *map(str, arguments)]
    output, errors = io.StringIO(), io.StringIO()
    with (
        chdir(cwd),
        patch.object(sys, "argv", command),
        redirect_stdout(output),
        redirect_stderr(errors),
    ):
        try:
            main()
            status: object = None
        except SystemExit as end:
            status = end.code
    if isinstance(status, int | None):
        return CompletedProcess(command, status or 0, output.getvalue(), errors.getvalue())
    return CompletedProcess(command, 1, output.getvalue(), f"{errors.getvalue()}{status}\n")


def rvae_process(*arguments: object, cwd: Path) -> CompletedProcess[str]:
    """Run a command as a user does, in a process of its own."""
    command = [sys.executable, "-m", "rvae.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)
