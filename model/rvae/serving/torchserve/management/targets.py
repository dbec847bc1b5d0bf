"""Paths and queries, as TorchServe's management reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode

from rvae.errors import FieldError

__all__ = ["Target", "decimal", "model_path", "number", "target_of", "with_query"]

DIGITS = 18  # of a whole number; Python refuses to convert some thousand


@dataclass(frozen=True)
class Target:
    """What a request asks for.

    Attributes:
        parts: The path, decoded: `("models", "waves", "1.0")`.
        query: The first value of each parameter.
    """

    parts: tuple[str, ...]
    query: Mapping[str, str]


def target_of(target: str) -> Target:
    """The target of a request as it was sent."""
    path, _, query = target.partition("?")
    # Decoded before it is divided, and without what is empty at its end.
    parts = unquote(path).rstrip("/").split("/")[1:]
    values = parse_qsl(query, keep_blank_values=True)
    return Target(tuple(parts), dict(reversed(values)))


def model_path(name: str, version: str | None, *more: str) -> str:
    """The path of a model, of one of its versions, or of what is below that."""
    parts = [name, *([version] if version is not None else []), *more]
    return "/models/" + "/".join(quote(part, safe="") for part in parts)


def with_query(path: str, query: Mapping[str, str]) -> str:
    """A path with parameters."""
    return f"{path}?{urlencode(query)}" if query else path


def number(query: Mapping[str, str], name: str, usual: int) -> int:
    """A parameter that is a whole number, 0 or more.

    Raises:
        FieldError: If it is something else.
    """
    text = query.get(name)
    if text is None:
        return usual
    if not (text.isascii() and text.isdecimal() and len(text) <= DIGITS):
        raise FieldError(name, f"must be a whole number, 0 or more, of at most {DIGITS} digits")
    return int(text)


def decimal(query: Mapping[str, str], name: str, usual: float | None, most: float) -> float:
    """A parameter that is a number from 0 on.

    Args:
        query: The parameters.
        name: Its name.
        usual: Its value where there is none; None if it must be given.
        most: Its largest value.

    Raises:
        FieldError: If it is something else.
    """
    text = query.get(name)
    if text is None and usual is not None:
        return usual
    try:
        found = float(text or "")
    except ValueError:
        found = -1.0
    if not 0 <= found <= most:
        raise FieldError(name, f"must be a number from 0 to {most:g}")
    return found
