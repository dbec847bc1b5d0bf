"""Archives that are taken apart, changed and packed again; and keys to sign them."""

import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from rvae.serving.integrity import write_sums

__all__ = ["edited", "key_pair", "openssl"]


def edited(
    archive: Path, target: Path, edit: Callable[[Path], object], sealed: bool = False
) -> Path:
    """Pack an archive anew.

    Args:
        archive: The archive.
        target: Where it is written.
        edit: Changes its content in a folder.
        sealed: Whether it gets the checksums of what it holds then.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
        edit(folder)
        if sealed:
            write_sums(folder)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    packed.write(path, path.relative_to(folder).as_posix())
    return target


def key_pair(folder: Path, name: str) -> tuple[Path, Path]:
    """The files of a new private and public key."""
    private, public = folder / f"{name}.pem", folder / f"{name}-public.pem"
    key = Ed25519PrivateKey.generate()
    encoded = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    private.write_bytes(encoded)
    subject = PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, subject))
    return private, public


def openssl(*arguments: str | Path) -> bytes:
    """What a command of OpenSSL prints; without it the test is skipped."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True).stdout
