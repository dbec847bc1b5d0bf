"""Fetches the archives of a list into a folder, and checks them.

A line of the list is `SHA256 ADDRESS`, as `sha256sum` writes it of files; `#` begins a comment.
What is in the folder already is kept if it has its checksum. The header Authorization is sent where
the environment has AUTHORIZATION, and not to where an answer leads on.
"""

import hashlib
import os
import sys
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

PIECE = 1 << 20  # bytes
TRIES, PAUSE = 4, 2.0  # seconds, twice as long after each
TIMEOUT = 30  # seconds without a byte


class Wanted(NamedTuple):
    """An archive of the list."""

    checksum: str
    address: str

    @property
    def name(self) -> str:
        """Of its file."""
        return unquote(urlsplit(self.address).path).rpartition("/")[2]


def read_list(path: Path) -> list[Wanted]:
    """The archives of a list.

    Raises:
        ValueError: If a line is not of this form, or a file is named twice.
    """
    found: list[Wanted] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        one = Wanted(words[0].lower(), words[-1])
        is_checksum = len(one.checksum) == 64 and set(one.checksum) <= set("0123456789abcdef")
        is_address = urlsplit(one.address).scheme in ("http", "https")
        if len(words) != 2 or not is_checksum or not is_address or not one.name.endswith(".mar"):
            raise ValueError(f"line {number} must be SHA256 https://.../NAME.mar, got {line!r}")
        if one.name in (other.name for other in found):
            raise ValueError(f"line {number} names {one.name} again")
        found.append(one)
    if not found:
        raise ValueError(f"{path} names no archive")
    return found


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(wanted: Wanted, folder: Path) -> None:
    """Have an archive in the folder.

    Raises:
        OSError: If it cannot be fetched.
        ValueError: If it is another one.
    """
    path = folder / wanted.name
    if path.exists() and checksum(path) == wanted.checksum:
        print(f"{wanted.name} is there", flush=True)
        return
    request = Request(wanted.address)
    if authorization := os.environ.get("AUTHORIZATION"):
        request.add_unredirected_header("Authorization", authorization)
    part = folder / f".{wanted.name}.part"  # no archive to the server
    try:
        with urlopen(request, timeout=TIMEOUT) as answer, part.open("wb") as file:
            while piece := answer.read(PIECE):
                file.write(piece)
        if (found := checksum(part)) != wanted.checksum:
            raise ValueError(f"{wanted.address} has the checksum {found}, not {wanted.checksum}")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    print(f"{wanted.name} fetched, {path.stat().st_size} bytes", flush=True)


def main(path: str, folder: str) -> int:
    try:
        for wanted in read_list(Path(path)):
            for left in reversed(range(TRIES)):
                try:
                    fetch(wanted, Path(folder))
                    break
                except OSError as error:
                    print(f"{wanted.address}: {error}", file=sys.stderr, flush=True)
                    if not left:
                        return 1
                    time.sleep(PAUSE * 2 ** (TRIES - 1 - left))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
