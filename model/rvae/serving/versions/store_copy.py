"""An archive put into the store of a server."""

import filecmp
import os
import shutil
import tempfile
from pathlib import Path

from rvae.errors import FieldError, require
from rvae.serving.model_store import Archive, read_archive

__all__ = ["StoreCopy"]


class StoreCopy:
    """An archive, and its copy in the store.

    Args:
        archive: The archive.
        store: Folder of archives.

    Attributes:
        file: Name of the copy.

    Raises:
        FieldError: If the store holds something else in its place.
    """

    def __init__(self, archive: Archive, store: Path) -> None:
        self._archive = archive
        self._store = store
        same = self._same()
        self.file = archive.path.name if same is None else same.name
        self._is_ours = same is None

    def make(self) -> str:
        """Copy the archive, unless the store holds it; readers see the whole file or none."""
        if not self._is_ours:
            return f"{self._store} holds it as {self.file}"
        handle, name = tempfile.mkstemp(dir=self._store, prefix=".", suffix=".unfinished")
        unfinished = Path(name)
        try:
            with self._archive.path.open("rb") as source, os.fdopen(handle, "wb") as copy:
                shutil.copyfileobj(source, copy)
                copy.flush()
                os.fsync(copy.fileno())
            unfinished.chmod(0o644)
            unfinished.replace(self._store / self.file)
        finally:
            unfinished.unlink(missing_ok=True)
        return f"{self.file} → {self._store}"

    def remove(self) -> str:
        """Remove the copy, unless the store held it before."""
        copy = self._store / self.file
        if not self._is_ours or not copy.exists():
            return ""
        copy.unlink()
        return f"{self.file} is no more in {self._store}"

    def _same(self) -> Path | None:
        """The archive's own place in the store, or that of a file of the same content."""
        path = self._archive.path
        if path.resolve().parent == self._store.resolve():
            return path
        for other in sorted(self._store.glob("*.mar")):
            if _holds(other, self._archive):
                require(
                    filecmp.cmp(path, other, shallow=False),
                    "archive",
                    f"{other} holds another {self._archive.name} {self._archive.version}: build "
                    "this one with a new version",
                )
                return other
        taken = self._store / path.name
        require(not taken.exists(), "archive", f"{taken} is another archive: rename this one")
        return None


def _holds(path: Path, archive: Archive) -> bool:
    try:
        other = read_archive(path)
    except FieldError:
        return False
    return (other.name, other.version) == (archive.name, archive.version)
