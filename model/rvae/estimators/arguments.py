"""Numbers and choices that a method takes, checked before it runs."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from types import NoneType
from typing import Any, Literal, ParamSpec, TypeVar, get_args, get_origin

from rvae.config.sections import valid_value

__all__ = ["checked"]

P = ParamSpec("P")
R = TypeVar("R")


def checked(method: Callable[P, R]) -> Callable[P, R]:
    """A method that raises a `FieldError` for a number or a choice of another type than it states.

    Data, names and other parameters are left to the method itself.
    """
    stated = signature(method)
    kinds = {
        name: parameter.annotation
        for name, parameter in stated.parameters.items()
        if _is_plain(parameter.annotation)
    }

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        given = stated.bind(*args, **kwargs)
        for name, value in given.arguments.items():
            if name in kinds:
                given.arguments[name] = valid_value(kinds[name], value, name)
        return method(*given.args, **given.kwargs)

    return call


def _is_plain(kind: Any) -> bool:
    """Whether a type is a number, a choice, None, or a union of such."""
    if kind in (int, float, NoneType) or get_origin(kind) is Literal:
        return True
    parts = get_args(kind)
    return bool(parts) and get_origin(kind) not in (list, tuple) and all(map(_is_plain, parts))
