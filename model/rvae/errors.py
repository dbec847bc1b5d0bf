"""Errors for what a user can mend."""

__all__ = ["FieldError", "MalformedError", "require", "require_readable"]


class FieldError(ValueError):
    """Something that was given is wrong.

    Attributes:
        field: Name of the offending option, column, file or request field.
        message: What is wrong with it and, where it helps, how to mend it.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class MalformedError(FieldError):
    """Bytes that cannot be read at all, as opposed to content that does not fit."""


def require(condition: bool, field: str, message: str) -> None:
    """Raise a `FieldError` unless `condition` holds."""
    if not condition:
        raise FieldError(field, message)


def require_readable(condition: bool, field: str, message: str) -> None:
    """Raise a `MalformedError` unless `condition` holds."""
    if not condition:
        raise MalformedError(field, message)
