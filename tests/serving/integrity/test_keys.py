"""Keys as OpenSSL makes them."""

from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.integrity.keys import TrustedKeys, sign
from tests.support.archives import key_pair, openssl


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return key_pair(tmp_path_factory.mktemp("keys"), "release")[0]


@pytest.fixture(scope="module")
def public(private: Path) -> str:
    return private.with_name("release-public.pem").read_text()


def test_a_signature_is_known_by_its_key(private: Path, public: str, tmp_path: Path) -> None:
    others = key_pair(tmp_path, "other")[1].read_text()
    (tmp_path / "trusted.pem").write_text(f"{others}\n# release 2026\n{public}")
    keys = TrustedKeys.read(tmp_path / "trusted.pem")
    signature = sign(b"content", private)
    encoded = b64decode("".join(public.splitlines()[1:-1]))
    fingerprint = sha256(encoded).hexdigest()[:16]
    assert keys.signer(b"content", signature) == f"release 2026 sha256:{fingerprint}"
    assert keys.signer(b"other content", signature) is None
    assert keys.signer(b"content", signature[:-1]) is None
    assert keys.signer(b"content", b"") is None
    (tmp_path / "others.pem").write_text(others)
    only_other = TrustedKeys.read(tmp_path / "others.pem")
    assert only_other.signer(b"content", signature) is None
    assert only_other.names in keys.names


def test_openssl_verifies_a_signature(private: Path, public: str, tmp_path: Path) -> None:
    for name, content in (("content", b"content"), ("key", public.encode())):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "signature").write_bytes(sign(b"content", private))
    key, signed, signature = (tmp_path / name for name in ("key", "content", "signature"))
    files = ("-inkey", key, "-in", signed, "-sigfile", signature)
    assert b"Verified Successfully" in openssl("pkeyutl", "-verify", "-pubin", "-rawin", *files)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no public key"),
        ("text", "no public key"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "damaged"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "holds a certificate"),
    ],
)
def test_other_files_hold_no_trusted_keys(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "trusted.pem").write_text(content)
    with pytest.raises(FieldError, match=message) as caught:
        TrustedKeys.read(tmp_path / "trusted.pem")
    assert caught.value.field == "trusted"


def test_the_private_key_is_not_to_be_given_to_a_server(private: Path) -> None:
    with pytest.raises(FieldError, match="private key: write the public key"):
        TrustedKeys.read(private)


def test_other_keys_are_refused(private: Path, public: str, tmp_path: Path) -> None:
    rsa, encrypted, absent = (tmp_path / name for name in ("rsa", "encrypted", "absent"))
    openssl("genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:1024", "-out", rsa)
    openssl("pkey", "-in", private, "-aes256", "-passout", "pass:x", "-out", encrypted)
    (tmp_path / "public").write_text(public)
    refused = [
        (rsa, "no Ed25519 key"),
        (encrypted, "is encrypted"),
        (absent, "No such file"),
        (tmp_path / "public", "no private key"),
    ]
    for path, message in refused:
        with pytest.raises(FieldError, match=message) as caught:
            sign(b"content", path)
        assert caught.value.field == "sign"
    (tmp_path / "trusted").write_bytes(openssl("pkey", "-in", rsa, "-pubout"))
    with pytest.raises(FieldError, match="no Ed25519 key"):
        TrustedKeys.read(tmp_path / "trusted")
    with pytest.raises(FieldError, match="cannot be read"):
        TrustedKeys.read(absent)
