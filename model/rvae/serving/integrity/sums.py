"""The list of checksums in an archive, as `sha256sum -c` reads it."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rvae.errors import FieldError, require

__all__ = [
    "SIGNATURE_FILE",
    "SUMS_FILE",
    "Content",
    "Digests",
    "digest",
    "read_sums",
    "require_plain",
    "require_same",
    "write_sums",
]

SUMS_FILE = "MAR-INF/SHA256SUMS"
SIGNATURE_FILE = "MAR-INF/SHA256SUMS.sig"

MOST_NAMED = 3
LINE = re.compile(r"([0-9a-f]{64})  (.+)")

# SHA-256 in hexadecimal digits, by path from the root of the archive.
Digests = Mapping[str, str]


@dataclass(frozen=True)
class Content:
    """The checksums of an archive's files, and what it says of them.

    Attributes:
        digests: Of every file but the two that follow.
        sums: The list of checksums in it; None if it has none.
        signature: The signature of that list; None if it has none.
    """

    digests: Digests
    sums: bytes | None
    signature: bytes | None


def digest(pieces: Iterable[bytes]) -> str:
    """SHA-256 of a file, which may be larger than memory."""
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()


def write_sums(folder: Path) -> bytes:
    """Write the checksums of all files of a folder into it; what is written."""
    names = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    listed = [name for name in names if name not in (SUMS_FILE, SIGNATURE_FILE)]
    lines = [f"{digest([(folder / name).read_bytes()])}  {name}\n" for name in listed]
    content = "".join(lines).encode()
    (folder / SUMS_FILE).write_bytes(content)
    return content


def read_sums(content: bytes) -> Digests:
    """The checksums in a list of them.

    Raises:
        FieldError: If it is none.
    """
    found: dict[str, str] = {}
    try:
        lines = content.decode().removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        lines = [""]
    for line in lines:
        match = LINE.fullmatch(line)
        if match is None or match[2] in found:
            raise FieldError("archive", f"{SUMS_FILE} is no list of checksums")
        require_plain(match[2])
        found[match[2]] = match[1]
    return found


def require_plain(name: str) -> None:
    """Raise a `FieldError` unless a path leads to a place in the archive, and nowhere else."""
    parts = name.split("/")
    plain = name.isprintable() and "\\" not in name and not {"", ".", ".."} & set(parts)
    require(plain, "archive", f"{name!r} is no path within it")


def require_same(expected: Digests, found: Digests) -> None:
    """Raise a `FieldError` that names files which are missing, additional or changed."""
    both = expected.keys() & found.keys()
    changed = {name for name in both if expected[name] != found[name]}
    differences = (
        (expected.keys() - both, "is missing", "are missing"),
        (found.keys() - both, "is not in its checksums", "are not in its checksums"),
        (changed, "is not as it was built", "are not as they were built"),
    )
    words = [
        f"{_listed(sorted(names))} {one if len(names) == 1 else many}"
        for names, one, many in differences
        if names
    ]
    require(not words, "archive", "; ".join(words))


def _listed(names: list[str]) -> str:
    beyond = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {beyond} more" if beyond > 0 else "")
