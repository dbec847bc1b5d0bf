"""Sections of a configuration from nested mappings of options, as a YAML file holds them."""

from collections.abc import Mapping
from dataclasses import InitVar, is_dataclass
from difflib import get_close_matches
from inspect import signature
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from rvae.errors import FieldError, require

__all__ = ["make_section", "valid_value"]

T = TypeVar("T")


def make_section(kind: type[T], options: Mapping[str, Any], name: str) -> T:
    """Make a section, and the sections within it, from options by name.

    Args:
        kind: Frozen dataclass of the section.
        options: Values by name; a mapping for a section within the section.
        name: Name of the section, for error messages; empty for the whole configuration.

    Raises:
        FieldError: If an option is unknown, or its value not valid.
    """
    require(
        isinstance(options, Mapping),
        name or "options",
        f"must map options to values, got {options!r}",
    )
    names = list(signature(kind).parameters)
    types, values = get_type_hints(kind), {}
    for option, value in options.items():
        field = f"{name}.{option}" if name else str(option)
        if option not in names:
            near = get_close_matches(str(option), names, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
            raise FieldError(field, f"is no option: {hint}")
        inner = types[option]
        if isinstance(inner, InitVar):
            inner = inner.type
        is_section = isinstance(inner, type) and is_dataclass(inner)
        values[option] = (
            make_section(inner, value, field) if is_section else valid_value(inner, value, field)
        )
    made: T = kind(**values)
    return made


def valid_value(kind: Any, value: Any, field: str) -> Any:
    """The value as this type; whole numbers may be floats, and numbers those of NumPy.

    Raises:
        FieldError: If it is of another type.
    """
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        reasons = " or ".join(dict.fromkeys(one["msg"] for one in error.errors()))
        message = reasons.replace("Input should", "should")
        raise FieldError(field, f"{message}, got {value!r}") from None
