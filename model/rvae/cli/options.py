"""The options of a command: their types, and their names for those who mistype them."""

from argparse import Action, ArgumentParser
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

__all__ = ["did_you_mean", "element_of", "expected", "option_types", "type_of"]

MAX_SUGGESTIONS = 3


def option_types(parser: ArgumentParser) -> dict[str, Any]:
    """The type of each option by name, as `--data.window`, or that of a positional argument."""
    types = {}
    for action in parser._actions:
        for name in action.option_strings or [action.dest]:
            types[name] = type_of(action)
    return types


def type_of(action: Action) -> Any:
    """The type that an option was declared with; None for `--help`, `--config` and the like."""
    # jsonargparse keeps it in its actions, and has no public name for it.
    return _without_none(getattr(action, "_typehint", None))


def _without_none(kind: Any) -> Any:
    """The type of an option that may be left out, if that is a single one."""
    if get_origin(kind) in (Union, UnionType):
        kinds = [one for one in get_args(kind) if one is not NoneType]
        return kinds[0] if len(kinds) == 1 else kind
    return kind


def element_of(kind: Any) -> Any:
    """The type of the elements of a `tuple[T, ...]`; None for other types."""
    arguments = get_args(kind)
    return arguments[0] if get_origin(kind) is tuple and arguments[1:] == (...,) else None


def expected(kind: Any) -> str:
    """What a value of a type looks like; empty if that cannot be said."""
    if (element := element_of(kind)) is not None:
        if get_origin(element) is Literal:
            return f"a list of {_choices(element)}"
        return "a list such as " + ("[1, 2]" if element is int else "[a, b]")
    if get_origin(kind) is Literal:
        return f"one of {_choices(kind)}"
    origin = get_origin(kind) or kind
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "a mapping such as {name: " + ("text}" if get_args(kind)[1:] == (str,) else "value}")
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    return names.get(origin, "")


def _choices(kind: Any) -> str:
    return ", ".join(map(str, get_args(kind)))


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """The names that a mistyped one may stand for, as the end of a message; empty if none is near.

    Sections are often forgotten, and options abbreviated: `window` also stands for `data.window`,
    and `data.w`.
    """
    bare = word.lstrip("-")
    section, _, last = bare.rpartition(".")
    known = {name.lstrip("-"): name for name in names}
    parts = {name: name.rpartition(".")[2] for name in known}
    found = [name for name in known if name.startswith(bare) or parts[name] == last]
    if not found:
        near = get_close_matches(last, set(parts.values()), MAX_SUGGESTIONS, 0.7)
        found = [name for name in known if parts[name] in near]
        # Where the section is right, other sections are not meant.
        found = [name for name in found if name.rpartition(".")[0] == section] or found
    nearest = get_close_matches(bare, found, MAX_SUGGESTIONS, 0.0)
    return f": did you mean {' or '.join(known[name] for name in nearest)}?" if nearest else ""
