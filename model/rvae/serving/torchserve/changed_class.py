"""A class of TorchServe's Java with other instructions: compiled Java, changed without a compiler.

The changes are made in a copy of the class, which Java finds before TorchServe's own. None moves an
instruction nor changes what a variable may hold, so that the class still passes Java's
verification.
"""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

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
        without: What to expect of a server without the changes.
    """

    file: str
    sha256: str
    changed_sha256: str
    changes: tuple[tuple[str, str], ...]
    without: str

    def of(self, jar: Path) -> bytes | None:
        """The class with the changes; None if the jar has another version of it."""
        content = _read(jar, self.file)
        if content is None or _sha256(content) != self.sha256:
            return None
        for before, after in self.changes:
            content = content.replace(bytes.fromhex(before), bytes.fromhex(after))
        return content

    def is_in(self, jar: Path) -> bool:
        """Whether a jar holds the class with the changes."""
        content = _read(jar, self.file)
        return content is not None and _sha256(content) == self.changed_sha256


def _read(jar: Path, file: str) -> bytes | None:
    try:
        with zipfile.ZipFile(jar) as packed:
            return packed.read(file)
    except (OSError, KeyError, zipfile.BadZipFile):
        return None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
