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
            # An option of a section within this one may be missing the section's name.
            inside = [
                n for n in names if _is_section(types[n]) and option in get_type_hints(types[n])
            ]
            near = [f"{n}.{option}" for n in inside] or get_close_matches(str(option), names, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
            raise FieldError(field, f"is no option: {hint}")
        inner = types[option]
        if isinstance(inner, InitVar):
            inner = inner.type
        make = make_section if _is_section(inner) else valid_value
        values[option] = make(inner, value, field)
    made: T = kind(**values)
    return made


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and is_dataclass(kind)


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
