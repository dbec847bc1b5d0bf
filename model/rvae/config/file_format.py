"""How text files are written."""

import codecs
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Self

from rvae.errors import require

__all__ = ["FileFormat"]

# A separator that a shell would make hard to type.
NAMED_SEPARATORS = ("tab", "space")
THOUSANDS = ("", ".", ",", " ", "\u00a0", "\u202f", "'", "’")


@dataclass(frozen=True)
class FileFormat:
    """How a .csv or .xlsx file is written; what is left out is found in each file.

    Attributes:
        separator: Character between the cells of a row, or "tab" or "space"; "" if there is one
            column.
        decimal: Mark before the decimals of a number.
        thousands: Mark between groups of three digits; "" if there is none.
        encoding: Encoding of the text, such as "utf-8", "utf-16" or "cp1252".
        header: Whether the first row holds the names of the columns.
        units: Whether the row below the names holds units. They are not read; give them with
            data.units.
        skip: Lines above the table that are not read.
        time_format: How the times of reader.time are written, in the codes of Python's strptime:
            "%d.%m.%Y %H:%M".
        sheet: Sheet of an .xlsx file; may be left out if only one of them holds anything.
    """

    separator: str | None = None
    decimal: Literal[".", ","] | None = None
    thousands: str | None = None
    encoding: str | None = None
    header: bool | None = None
    units: bool | None = None
    skip: int | None = None
    time_format: str | None = None
    sheet: str | None = None

    def __post_init__(self) -> None:
        mark = self.separator
        if mark is not None:
            require(
                mark in ("", *NAMED_SEPARATORS)
                or (
                    len(mark) == 1 and mark.isascii() and not mark.isalnum() and mark not in '"\r\n'
                ),
                "reader.format.separator",
                f'must be one mark, "tab", "space" or "", got {mark!r}',
            )
        require(
            self.thousands is None or self.thousands in THOUSANDS,
            "reader.format.thousands",
            f"must be a point, a comma, a space, an apostrophe or empty, got {self.thousands!r}",
        )
        require(
            self.decimal is None or self.decimal != self.thousands,
            "reader.format.thousands",
            f"cannot be {self.thousands!r}, like reader.format.decimal",
        )
        if self.encoding is not None:
            require(
                _is_encoding(self.encoding),
                "reader.format.encoding",
                f"Python knows no encoding {self.encoding!r}",
            )
        require(self.skip is None or self.skip >= 0, "reader.format.skip", "must not be negative")
        require(
            self.time_format is None or "%" in self.time_format,
            "reader.format.time_format",
            f'needs codes such as "%d.%m.%Y %H:%M", got {self.time_format!r}',
        )

    def updated(self, other: Self) -> Self:
        """This format with all that another one states."""
        stated: dict[str, Any] = {field.name: getattr(other, field.name) for field in fields(other)}
        return replace(self, **{name: v for name, v in stated.items() if v is not None})


def _is_encoding(name: str) -> bool:
    try:
        "".encode(codecs.lookup(name).name)
    except LookupError:  # unknown, or between bytes and bytes
        return False
    return True
