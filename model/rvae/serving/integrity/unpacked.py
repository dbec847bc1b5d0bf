"""The content of an archive that TorchServe has unpacked."""

import os
from collections.abc import Iterator
from pathlib import Path

from rvae.errors import FieldError, require
from rvae.serving.integrity.sums import SIGNATURE_FILE, SUMS_FILE, Content, digest

__all__ = ["read_unpacked"]

PIECE = 1 << 20
BESIDE = (SUMS_FILE, SIGNATURE_FILE)
# Where Python keeps what it has compiled.
COMPILED = "__pycache__"


def read_unpacked(folder: Path, compiled: bool) -> Content:
    """Read a folder, in bounded memory.

    Args:
        folder: Of the archive.
        compiled: Whether Python may have kept there what it compiled, which is passed over.

    Raises:
        FieldError: If it holds anything but folders and files.
    """
    try:
        names = list(_files(folder, "", compiled))
        digests = {name: digest(_pieces(folder / name)) for name in names}
        sums, signature = (
            (folder / name).read_bytes() if name in digests else None for name in BESIDE
        )
    except OSError as error:
        raise FieldError("archive", f"it cannot be read: {error}") from None
    others = {name: found for name, found in digests.items() if name not in BESIDE}
    return Content(others, sums, signature)


def _files(folder: Path, before: str, compiled: bool) -> Iterator[str]:
    """The paths of the files in a folder, from the root of the archive."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = before + entry.name
            if entry.is_dir(follow_symlinks=False):
                if not (compiled and entry.name == COMPILED):
                    yield from _files(folder / entry.name, f"{name}/", compiled)
            else:
                plain = entry.is_file(follow_symlinks=False)
                require(plain, "archive", f"{name} is no plain file")
                yield name


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
