"""Errors that a user can correct."""

__all__ = ["FieldError", "MalformedError", "require", "require_readable"]


class FieldError(ValueError):
    """An invalid option, column, file or request field.

    Attributes:
        field: Name of the option, column, file or request field.
        message: What is wrong with it and, where it helps, how to correct it.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class MalformedError(FieldError):
    """Bytes that cannot be decoded, as opposed to invalid content."""


def require(condition: bool, field: str, message: str) -> None:
    """Raise a `FieldError` unless `condition` holds."""
    if not condition:
        raise FieldError(field, message)


def require_readable(condition: bool, field: str, message: str) -> None:
    """Raise a `MalformedError` unless `condition` holds."""
    if not condition:
        raise MalformedError(field, message)
