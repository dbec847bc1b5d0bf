"""What jsonargparse says of a wrong command line → one line that names the option and the fix.

jsonargparse tells its errors apart only by their text. This is the one place that reads it; a text
that is not known here is passed on in one line.
"""

import re
from argparse import ArgumentError
from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

from rvae.cli.options import did_you_mean, expected

__all__ = ["explain"]

MAX_OPTIONS = 4

# What people coming from other tools try first.
SYNONYMS = {"train": "fit", "predict": "score", "detect": "score", "package": "archive"}


def explain(error: Exception | None, message: str, types: dict[str, Any], prefix: str = "") -> str:
    """What is wrong with a command line, in one line.

    Args:
        error: What jsonargparse caught, if anything.
        message: What it says of it.
        types: Types of the options of the command, by name.
        prefix: What jsonargparse puts before the names of the command's options, `fit.`.
    """
    for pattern, say in FORMS:
        if found := re.search(pattern, message, re.DOTALL):
            return say(found, error, _Options(types, prefix))
    if isinstance(error, ArgumentError) and error.argument_name:
        wrong = error.message.replace("expected one argument", "needs a value")
        return f"{error.argument_name}: {wrong}"
    return " ".join(message.split())


class _Options:
    """The options of a command, under the names that jsonargparse gives them."""

    def __init__(self, types: dict[str, Any], prefix: str) -> None:
        self.types = types
        self._prefix = prefix

    def shown(self, key: str) -> str:
        """An option as it is typed."""
        key = key.removeprefix(self._prefix)
        return f"--{key}" if f"--{key}" in self.types else key

    def of_section(self, key: str) -> str:
        """The first options of a section."""
        start = f"--{key.removeprefix(self._prefix)}."
        names = [name for name in self.types if name.startswith(start)]
        return ", ".join(names[:MAX_OPTIONS]) + (", …" if len(names) > MAX_OPTIONS else "")


def _missing(found: re.Match[str], error: Exception | None, options: _Options) -> str:
    names = [options.shown(key) for key in found[1].split(", ")]
    return f"{', '.join(names)}: {'is' if len(names) == 1 else 'are'} missing"


def _command(found: re.Match[str], error: Exception | None, options: _Options) -> str:
    commands = re.findall(r"'([^']+)'", found[2])
    meant = did_you_mean(found[1], [*commands, *SYNONYMS])
    for other, command in SYNONYMS.items():
        meant = re.sub(rf"\b{other}\b", command, meant)
    return f"{found[1]}: no such command{meant or ', choose from ' + ', '.join(commands)}"


def _no_command(found: re.Match[str], error: Exception | None, options: _Options) -> str:
    return "a command is missing"


def _unexpected(found: re.Match[str], error: Exception | None, options: _Options) -> str:
    if found[1].startswith("-"):
        return _unknown(found, error, options)
    return f"{found[1]}: more arguments than this command takes"


def _unknown(found: re.Match[str], error: Exception | None, options: _Options) -> str:
    key = options.shown(found[1])
    names = [name for name in options.types if name.startswith("-")]
    if not key.startswith("-"):  # in a file
        names = [name.lstrip("-") for name in names]
    return f"{key}: no such option{did_you_mean(key, names)}"


def _no_file(found: re.Match[str], error: Exception | None, options: _Options) -> str:
    return f"--config: no such file: {found[1]}"


def _not_yaml(found: re.Match[str], error: Exception | None, options: _Options) -> str:
    reason: Any = error.__cause__ if error is not None else None
    mark = getattr(reason, "problem_mark", None)
    if mark is None:
        return f"--config: is not YAML: {' '.join(found[1].split())}"
    return (
        f"--config: is not YAML: line {mark.line + 1}, column {mark.column + 1}: {reason.problem}"
    )


def _no_options(found: re.Match[str], error: Exception | None, options: _Options) -> str:
    start = " ".join(found[1].split())[:40]
    return f"--config: holds no options as 'name: value', but {start!r}"


def _section(found: re.Match[str], error: Exception | None, options: _Options) -> str:
    key, value = found[1], found[2]
    return (
        f"{options.shown(key)}: {value!r} is not a YAML file with the options of this section: "
        f"{options.of_section(key)}"
    )


def _value(found: re.Match[str], error: Exception | None, options: _Options) -> str:
    name, value = options.shown(found[1]), found[2].strip()
    kind = options.types.get(name)
    form = expected(kind)
    if not form:
        return f"{name}: cannot be {value!r}"
    meant = ""
    if get_origin(kind) is Literal:
        meant = did_you_mean(value, map(str, get_args(kind)))
    return f"{name}: must be {form}, got {value!r}{meant}"


FORMS: Sequence[tuple[str, Any]] = (
    (r"^the following arguments are required: (.+)", _missing),
    (r"invalid choice: '?(.+?)'? \(choose from (.+)\)", _command),
    (r"^'?expected \"subcommand\" to be one of", _no_command),
    (r"^unrecognized arguments: (.+)", _unexpected),
    (r"does not accept option '([^']+)'", _unknown),
    (r"Option '([^']+)' is not accepted", _unknown),
    (r"File does not exist: '?([^'\n]+)'?", _no_file),
    (r"^Problems parsing config: (.+)", _not_yaml),
    (r"^Unexpected config: (.+)", _no_options),
    (r"^Parser key \"([^\"]+)\":\s+Unable to load config '([^'\n]*)'", _section),
    (r"^Parser key \"([^\"]+)\".*(?:Got|Given) value: ([^\n]*)", _value),
)
