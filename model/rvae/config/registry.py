"""Named choices that users may extend from outside the package."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Generic, TypeVar

from rvae.errors import FieldError, require

__all__ = ["Registry"]

T = TypeVar("T")


@dataclass(frozen=True)
class Registry(Generic[T]):
    """Choices by name; anything importable can be used by its dotted name, too.

    A dotted name is `package.module:OBJECT`. Its module is imported on look-up, also when a
    checkpoint with this name is loaded.

    Attributes:
        field: Name of the option that holds the choice, for error messages.
        kind: Class of the entries. An entry is an instance of it or, where entries are classes, a
            subclass.
        entries: The choices that come with the package, by name.
    """

    field: str
    kind: type[Any]
    entries: Mapping[str, T]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the choices that come with the package."""
        return tuple(self.entries)

    def lookup(self, name: str) -> T:
        """Return the entry of a name or of a dotted name.

        Raises:
            FieldError: If there is no such entry, if its module cannot be imported, or if it is
                not of the expected kind.
        """
        if name in self.entries:
            return self.entries[name]
        module, separator, attribute = name.partition(":")
        require(
            bool(separator and module and attribute) and not module.startswith("."),
            self.field,
            f"must be one of {', '.join(self.names)}, or a dotted name package.module:OBJECT, "
            f"got {name!r}",
        )
        try:
            entry: Any = import_module(module)
        # The import of a user's module may raise anything.
        except Exception as error:
            raise FieldError(
                self.field,
                f"cannot import module {module!r} of {name!r}: {type(error).__name__}: {error}",
            ) from error
        for part in attribute.split("."):
            require(hasattr(entry, part), self.field, f"module {module!r} has no {attribute!r}")
            entry = getattr(entry, part)
        matches = isinstance(entry, self.kind) or (
            isinstance(entry, type) and issubclass(entry, self.kind)
        )
        require(matches, self.field, f"{name!r} is not of kind {self.kind.__name__}")
        return entry
