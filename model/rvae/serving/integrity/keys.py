"""Ed25519 keys, as `openssl genpkey -algorithm ed25519` makes them: who signs and who is trusted.

A signature is the 64 bytes that `openssl pkeyutl -sign -rawin` writes, too.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rvae.errors import FieldError, require

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = ["TrustedKeys", "sign"]

PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
PUBLIC = "PUBLIC KEY"
FINGERPRINT_DIGITS = 16


@dataclass(frozen=True)
class TrustedKeys:
    """Public keys whose signatures are trusted.

    Attributes:
        keys: With the name of each.
        text: What they were read from, for `parse`.
    """

    keys: tuple[tuple[str, "Ed25519PublicKey"], ...]
    text: str

    @classmethod
    def read(cls, path: Path) -> "TrustedKeys":
        """Read the keys of a file, see `parse`.

        Raises:
            FieldError: If the file cannot be read, or holds anything else.
        """
        try:
            return cls.parse(path.read_text())
        except (OSError, UnicodeDecodeError) as error:
            raise FieldError("trusted", f"{path} cannot be read: {error}") from None
        except FieldError as error:
            raise FieldError("trusted", f"{path} {error.message}") from None

    @classmethod
    def parse(cls, text: str) -> "TrustedKeys":
        """Public keys as PEM, one after the other.

        A key is called as the line before it says, if there is one, and by its fingerprint.

        Raises:
            FieldError: If there are none, or there are others.
        """
        keys = tuple(_public_keys(text))
        require(bool(keys), "trusted", "holds no public key as PEM")
        return cls(keys, text)

    @property
    def names(self) -> str:
        """What the keys are called."""
        return ", ".join(name for name, _ in self.keys)

    def signer(self, content: bytes, signature: bytes) -> str | None:
        """The name of the key that signed, if one of these did."""
        from cryptography.exceptions import InvalidSignature

        for name, key in self.keys:
            try:
                key.verify(signature, content)
            except InvalidSignature:
                continue
            return name
        return None


def sign(content: bytes, path: Path) -> bytes:
    """Sign with the private key in a file.

    Raises:
        FieldError: If the file holds no such key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise FieldError("sign", f"{path} cannot be read: {error.strerror}") from None
    except TypeError:
        raise FieldError("sign", f"{path} is encrypted: decrypt it with openssl pkey") from None
    except (ValueError, UnsupportedAlgorithm):
        raise FieldError("sign", f"{path} holds no private key as PEM") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise FieldError(
            "sign", f"{path} is no Ed25519 key: make one with openssl genpkey -algorithm ed25519"
        )
    return key.sign(content)


def _public_keys(text: str) -> Iterator[tuple[str, "Ed25519PublicKey"]]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    end = 0
    for block in PEM.finditer(text):
        before, end = text[end : block.start()].strip(), block.end()
        require(
            block[1] == PUBLIC,
            "trusted",
            f"holds a {block[1].lower()}: write the public key with openssl pkey -pubout",
        )
        try:
            key = load_pem_public_key(block[0].encode())
        except (ValueError, UnsupportedAlgorithm):
            raise FieldError("trusted", "holds a public key that is damaged") from None
        if not isinstance(key, Ed25519PublicKey):
            raise FieldError("trusted", "holds a key that is no Ed25519 key")
        called = before.splitlines()[-1].lstrip("# ") if before else ""
        yield f"{called} {_fingerprint(key)}".strip(), key


def _fingerprint(key: "Ed25519PublicKey") -> str:
    """The start of what `openssl pkey -pubin -outform DER | sha256sum` gives."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "sha256:" + hashlib.sha256(encoded).hexdigest()[:FINGERPRINT_DIGITS]
