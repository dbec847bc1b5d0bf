"""The content of an archive that TorchServe has unpacked."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from rvae.errors import FieldError, require
from rvae.serving.integrity.sums import SIGNATURE_FILE, SUMS_FILE, Content, digest, read_sums

__all__ = ["read_unpacked"]

PIECE = 1 << 20


def read_unpacked(folder: Path, used: bool) -> Content:
    """Read a folder, in bounded memory.

    Args:
        folder: Of the archive.
        used: Whether workers have run in it: then files that have no checksum are passed over, such
            as what Python compiles, and dumps of processes.

    Raises:
        FieldError: If it holds anything but folders and files.
    """
    try:
        sums, signature = (_content(folder / name) for name in (SUMS_FILE, SIGNATURE_FILE))
        names: Iterable[str] = _files(folder, "")
        if used:
            listed = read_sums(sums) if sums is not None else ()
            names = [name for name in listed if (folder / name).is_file()]
        digests = {name: digest(_pieces(folder / name)) for name in names}
    except OSError as error:
        raise FieldError("archive", f"it cannot be read: {error}") from None
    return Content(digests, sums, signature)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _files(folder: Path, before: str) -> Iterator[str]:
    """The paths of the files in a folder, from the root of the archive, that have checksums."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = before + entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from _files(folder / entry.name, f"{name}/")
            elif name not in (SUMS_FILE, SIGNATURE_FILE):
                plain = entry.is_file(follow_symlinks=False)
                require(plain, "archive", f"{name} is no plain file")
                yield name


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
