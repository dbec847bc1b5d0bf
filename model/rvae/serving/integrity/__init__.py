"""Whether an archive is what was built, and who built it.

`MAR-INF/SHA256SUMS` lists the other files of an archive as `sha256sum` does, and
`MAR-INF/SHA256SUMS.sig` may hold an Ed25519 signature of that list. Checksums alone tell damage;
who can write an archive can write its checksums, too, but no signature by a key that is trusted.
"""

from rvae.serving.integrity.intact import Integrity, require_intact
from rvae.serving.integrity.keys import TrustedKeys, sign
from rvae.serving.integrity.sums import SIGNATURE_FILE, SUMS_FILE, write_sums

__all__ = [
    "SIGNATURE_FILE",
    "SUMS_FILE",
    "Integrity",
    "TrustedKeys",
    "require_intact",
    "sign",
    "write_sums",
]
