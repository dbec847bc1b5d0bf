"""The parser of the command line: jsonargparse's, with options and errors for people."""

import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from jsonargparse import ArgumentParser, Namespace

from rvae.cli.options import option_types, type_of
from rvae.cli.usage import explain
from rvae.cli.words import spell_out
from rvae.errors import FieldError

__all__ = ["USAGE_ERROR", "CommandParser"]

USAGE_ERROR = 2


class CommandParser(ArgumentParser):
    """A parser that says in two lines what is wrong, and understands flags and lists as written."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # An abbreviation would change its meaning with the next option that begins so.
        super().__init__(*args, allow_abbrev=False, **kwargs)
        self._current: ArgumentParser = self
        self._file: str | os.PathLike[str] | None = None

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Namespace | None = None, **kwargs: Any
    ) -> Namespace:
        self._current, self._file = self, None
        words = sys.argv[1:] if args is None else list(args)
        # Errors of a command's options are found by the parser above it.
        parent: CommandParser | None = getattr(self, "parent_parser", None)
        if parent is not None:
            parent._current = self
            for action in self._actions:
                if type_of(action) is bool:
                    action.nargs = "?"  # for the help: the words that are parsed have a value
            try:
                words = spell_out(words, option_types(self))
            except FieldError as error:
                self.error(str(error))
        return super().parse_args(words, namespace, **kwargs)

    def parse_path(self, cfg_path: str | os.PathLike[str], *args: Any, **kwargs: Any) -> Namespace:
        self._file = cfg_path
        parsed = super().parse_path(cfg_path, *args, **kwargs)
        self._file = None
        return parsed

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        if not self.exit_on_error:
            super().error(message, ex)
        parser = self._current
        command = parser.prog.replace(" [options]", "")
        prefix = f"{getattr(parser, 'subcommand', '')}."
        wrong = explain(ex, message, option_types(parser), prefix)
        if self._file is not None:
            wrong += f" (in {self._file})"
        self.exit(USAGE_ERROR, f"rvae: {wrong}\nsee {command} --help\n")
