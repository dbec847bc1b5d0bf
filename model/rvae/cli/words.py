"""The words after a command, as a person writes them, in the form that jsonargparse reads."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_origin

from rvae.cli.options import did_you_mean, element_of
from rvae.errors import FieldError

__all__ = ["spell_out"]

BOOLEANS = ("true", "false", "yes", "no")
REPEATABLE = ("--config",)


def spell_out(words: Sequence[str], types: Mapping[str, Any]) -> list[str]:
    """Give flags their `=true`, and lists without brackets these.

    `--points` is `--points=true`, unless true or false follow, so that it does not take the file
    behind it for its value. `--reader.columns heat,speed` is `--reader.columns ["heat", "speed"]`.

    Args:
        words: All words of the command.
        types: Types of the options of the command, by name.

    Raises:
        FieldError: If there is no such option, or it is given twice.
    """
    spelled: list[str] = []
    seen: dict[str, str] = {}
    awaited: Any = None  # type of the option that the next word is the value of
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        if not word.startswith("--"):
            word, awaited = _listed(word, awaited), None
        elif word == "--":
            return [*spelled, *words[place:]]
        else:
            name, assigned, value = word.partition("=")
            _require_known(name, types)
            _require_first(name, value if assigned else following, seen)
            kind = types.get(name)
            if assigned:
                word, awaited = f"{name}={_listed(value, kind)}", None
            elif kind is bool and following.lower() not in BOOLEANS:
                word, awaited = f"{name}=true", None
            else:
                awaited = kind
        spelled.append(word)
    return spelled


def _listed(value: str, kind: Any) -> str:
    """A value of a list, with brackets."""
    element = element_of(kind)
    if element is None or value.startswith("[") or value in ("", "null"):
        return value
    # Names are quoted: they may look like numbers.
    quoted = element is str or get_origin(element) is Literal
    parts = [part.strip() for part in value.split(",")]
    return json.dumps(parts, ensure_ascii=False) if quoted else f"[{', '.join(parts)}]"


def _require_known(name: str, types: Mapping[str, Any]) -> None:
    if name in types:
        return
    # An entry of a mapping, as --data.units.heat.
    section = name.rpartition(".")[0]
    origin = get_origin(types.get(section))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return
    raise FieldError(name, f"no such option{did_you_mean(name, types)}")


def _require_first(name: str, value: str, seen: dict[str, str]) -> None:
    if name in seen and name not in REPEATABLE and not name.endswith("+"):
        raise FieldError(name, f"is given twice, as {seen[name]!r} and as {value!r}")
    seen[name] = value
