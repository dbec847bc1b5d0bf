"""Whether an archive is what was built, and signed by somebody who is trusted."""

from dataclasses import dataclass
from pathlib import Path

from rvae.errors import FieldError, require
from rvae.serving.integrity.keys import TrustedKeys
from rvae.serving.integrity.packed import read_packed
from rvae.serving.integrity.sums import (
    SIGNATURE_FILE,
    SUMS_FILE,
    Content,
    read_sums,
    require_same,
)
from rvae.serving.integrity.unpacked import read_unpacked

__all__ = ["Integrity", "require_intact"]


@dataclass(frozen=True)
class Integrity:
    """What was found out about an archive that is not damaged.

    Attributes:
        has_sums: Whether every file has the checksum that is written in the archive.
        is_signed: Whether it holds a signature.
        signer: Name of the trusted key that signed; None if no keys were given.
    """

    has_sums: bool
    is_signed: bool
    signer: str | None = None

    @property
    def words(self) -> str:
        """One sentence on it."""
        if not self.has_sums:
            return "holds no checksums: it was made by an earlier version"
        if self.signer is not None:
            return f"every file has its checksum, signed by {self.signer}"
        signed = "signed, by whom was not checked" if self.is_signed else "not signed"
        return f"every file has its checksum, {signed}"


def require_intact(path: Path, keys: TrustedKeys | None = None, used: bool = False) -> Integrity:
    """Check an archive, or the folder into which it was unpacked, without running anything of it.

    Args:
        path: The archive or folder.
        keys: Of which one must have signed; anybody may have if None.
        used: Whether workers have run in the folder: then it may hold more.

    Raises:
        FieldError: If a file of it is missing, additional, changed or damaged, the archive could be
            unpacked to something else, or the signature is missing or by nobody who is trusted. The
            message begins with the name of the archive, unless it is a folder.
    """
    if path.is_dir():
        return _judged(read_unpacked(path, used), keys)
    try:
        return _judged(read_packed(path), keys)
    except FieldError as error:
        raise FieldError("archive", f"{path.name}: {error.message}") from None


def _judged(content: Content, keys: TrustedKeys | None) -> Integrity:
    # Who signed comes first: what is wrong with a stranger's archive does not matter.
    signer = None if keys is None else _signer(content, keys)
    if content.sums is None:
        orphaned = content.signature is not None
        require(not orphaned, "archive", f"{SUMS_FILE} is missing, which {SIGNATURE_FILE} signs")
        return Integrity(has_sums=False, is_signed=False)
    require_same(read_sums(content.sums), content.digests)
    return Integrity(True, content.signature is not None, signer)


def _signer(content: Content, keys: TrustedKeys) -> str:
    if content.sums is None or content.signature is None:
        raise FieldError("archive", f"it is not signed, and has to be by one of: {keys.names}")
    signer = keys.signer(content.sums, content.signature)
    if signer is None:
        raise FieldError("archive", f"its signature is by none of the trusted keys: {keys.names}")
    return signer
