"""A class of TorchServe's Java with other instructions: compiled Java, changed without a compiler.

The changes are made in a copy of the class, which Java finds before TorchServe's own. None moves an
instruction nor changes what a variable may hold, so that the class still passes Java's
verification.
"""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from rvae.errors import require

__all__ = ["ChangedClass"]


@dataclass(frozen=True)
class ChangedClass:
    """A class of TorchServe 0.12.0, its last release, and what is changed in it.

    Attributes:
        file: Its place in the jar.
        sha256: Of the class as it is.
        changed_sha256: Of the class with the changes.
        changes: Instructions, each of them once in the class, and what replaces them; in
            hexadecimal.
    """

    file: str
    sha256: str
    changed_sha256: str
    changes: tuple[tuple[str, str], ...]

    def of(self, jar: Path) -> bytes:
        """The class with the changes.

        Raises:
            FieldError: If the jar has another version of it.
        """
        content = _read(jar, self.file)
        require(
            _sha256(content) == self.sha256,
            "torchserve",
            f"{jar} is not of TorchServe 0.12.0: install it again",
        )
        for before, after in self.changes:
            content = content.replace(bytes.fromhex(before), bytes.fromhex(after))
        return content

    def is_in(self, jar: Path) -> bool:
        """Whether a jar holds the class with the changes."""
        return _sha256(_read(jar, self.file)) == self.changed_sha256


def _read(jar: Path, file: str) -> bytes:
    """A file of a jar; nothing if there is none."""
    try:
        with zipfile.ZipFile(jar) as packed:
            return packed.read(file)
    except (OSError, KeyError, zipfile.BadZipFile):
        return b""


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
