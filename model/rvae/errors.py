"""The errors for what a user can mend."""

__all__ = ["FieldError", "MalformedError", "require"]


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
    """A body that cannot be parsed at all, as opposed to one that does not fit the model."""


def require(condition: bool, field: str, message: str) -> None:
    """Raise a `FieldError` unless `condition` holds."""
    if not condition:
        raise FieldError(field, message)
