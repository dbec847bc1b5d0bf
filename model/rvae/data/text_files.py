"""Files → text in UTF-8."""

import codecs
import gzip
import sys
import zlib
from functools import cache
from pathlib import Path

from rvae.errors import FieldError, require

__all__ = ["STANDARD_INPUT", "file_name", "read_text"]

STANDARD_INPUT = Path("-")

# Beginnings of files that are no text → what they are.
KINDS = {
    b"PK\x03\x04": "a zip archive: if it is an Excel file, name it .xlsx",
    b"PAR1": "a Parquet file: name it .parquet",
    b"\x93NUMPY": "an array of NumPy: name it .npy",
    b"\xd0\xcf\x11\xe0": "an old Excel file: save it as .xlsx",
}
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
GZIP = b"\x1f\x8b"
SAMPLE = 1 << 12
BINARY = set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b")  # \x1a ends files of DOS


def file_name(path: Path) -> str:
    """Name of a file in messages."""
    return "standard input" if path == STANDARD_INPUT else path.name


def read_text(path: Path, encoding: str | None) -> tuple[bytes, str]:
    """The text of a file in UTF-8 with lines that end in a newline, and its encoding.

    Args:
        path: File, compressed by gzip or not; "-" is standard input.
        encoding: Encoding; found if None.

    Raises:
        FieldError: If it is no text, or its encoding cannot be told.
    """
    name = file_name(path)
    content = _standard_input() if path == STANDARD_INPUT else path.read_bytes()
    if content.startswith(GZIP):
        content = _decompressed(content, name)
    for start, kind in KINDS.items():
        require(not content.startswith(start), "data", f"{name} is {kind}")
    found = encoding or _encoding(content, name)
    try:
        if encoding is not None or found != "utf-8":
            content = content.decode(found).encode()
    except UnicodeError as error:
        raise FieldError("reader.format.encoding", f"{name} is not in {found}: {error}") from None
    content = content.removeprefix(codecs.BOM_UTF8)
    if b"\r" in content and b"\n" not in content:
        content = content.replace(b"\r", b"\n")
    _require_text(content, name)
    return content, found


@cache
def _standard_input() -> bytes:
    """All of standard input, which can be read once only."""
    return sys.stdin.buffer.read()


def _decompressed(content: bytes, name: str) -> bytes:
    try:
        return gzip.decompress(content)
    except EOFError:
        raise FieldError("data", f"{name} ends too early: it is only a part of a file") from None
    except (OSError, zlib.error) as error:
        raise FieldError("data", f"{name} is damaged: {error}") from None


def _encoding(content: bytes, name: str) -> str:
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            return encoding
    even, odd = content[:SAMPLE:2].count(0), content[1:SAMPLE:2].count(0)
    # In UTF-16, every other byte of what is mostly ASCII is zero.
    if max(even, odd) > len(content[:SAMPLE]) / 4 and min(even, odd) == 0:
        return "utf-16-le" if odd else "utf-16-be"
    if content.isascii():
        return "utf-8"
    try:
        codecs.utf_8_decode(content, "strict", True)
    except UnicodeDecodeError as error:
        beyond = content.decode("utf-8", errors="ignore")
        if beyond.isascii() and content[error.start] not in BINARY:
            return _of_single_bytes(content)
        line = content.count(b"\n", 0, error.start) + 1
        raise FieldError(
            "reader.format.encoding",
            f"{name} is UTF-8 but for the byte 0x{content[error.start]:02x} in line {line}: "
            "correct it, or name the encoding",
        ) from None
    return "utf-8"


def _of_single_bytes(content: bytes) -> str:
    """The encoding of Western Europe, as all that is not ASCII is not UTF-8 either."""
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _require_text(content: bytes, name: str) -> None:
    zero = content.find(b"\0")
    if zero >= 0:
        line = content.count(b"\n", 0, zero) + 1
        raise FieldError("data", f"{name} is no text: it holds a zero byte in line {line}")
    require(
        BINARY.isdisjoint(content[:SAMPLE]),
        "data",
        f"{name} is no text: it holds control characters",
    )
