"""Properties as Java writes and reads them: `name=value`, with escapes."""

import re
from collections.abc import Iterator

__all__ = ["property_line", "read_properties"]

# What ends a name, and what stands between it and the value.
NAME = re.compile(r"(?:\\.|[^\\=:\s])*", re.DOTALL)
BETWEEN = re.compile(r"[ \t\f]*[=:]?[ \t\f]*")
ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def property_line(name: str, value: object) -> str:
    """A line of a file, in ASCII: Java reads Latin-1, and every other character as an escape."""
    units = str(value).encode("utf-16-be")
    codes = [int.from_bytes(units[i : i + 2]) for i in range(0, len(units), 2)]
    escaped = [
        chr(code) if 32 <= code < 127 and chr(code) != "\\" else f"\\u{code:04x}" for code in codes
    ]
    if escaped[:1] == [" "]:
        escaped[0] = "\\u0020"  # blanks before a value are no part of it
    return f"{name}={''.join(escaped)}\n"


def read_properties(text: str) -> dict[str, str]:
    """The values of a file by their names; of a name that is there twice the last one.

    Raises:
        ValueError: If it holds half a character.
    """
    found = {}
    for line in _logical_lines(text):
        name = NAME.match(line)
        assert name is not None  # it matches nothing, too
        between = BETWEEN.match(line, name.end())
        assert between is not None
        found[_plain(name[0])] = _plain(line[between.end() :])
    return found


def _logical_lines(text: str) -> Iterator[str]:
    """Lines without comments; one that ends in a backslash goes on in the next one."""
    lines = iter(re.split(r"\r\n|\r|\n", text))
    for line in lines:
        line = line.lstrip(" \t\f")
        if not line or line[0] in "#!":
            continue
        while _goes_on(line):
            line = line[:-1] + next(lines, "").lstrip(" \t\f")
        yield line


def _goes_on(line: str) -> bool:
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _plain(text: str) -> str:
    def character(found: re.Match[str]) -> str:
        code = found[1]
        return chr(int(code[1:], 16)) if len(code) > 1 else ESCAPED.get(code, code)

    # Characters beyond 16 bits are two escapes.
    return ESCAPE.sub(character, text).encode("utf-16", "surrogatepass").decode("utf-16")
