"""Packages on the Python package index that carry data, fetched by pip and not kept here."""

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["AEON", "Package"]


@dataclass(frozen=True)
class Package:
    """One file of a package.

    Attributes:
        requirement: Name and version, as pip takes them: "name==version".
        file: Name of the file, a wheel or a source distribution.
        sha256: Checksum of the file.
    """

    requirement: str
    file: str
    sha256: str

    def fetch(self, folder: Path) -> Path:
        """Path of the file in a folder, downloaded if it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.file
        if not path.exists():
            kind = "--only-binary" if path.suffix == ".whl" else "--no-binary"
            name = self.requirement.partition("==")[0]
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            subprocess.run([*pip, kind, name, self.requirement, "--dest", folder], check=True)
        if hashlib.sha256(path.read_bytes()).hexdigest() != self.sha256:
            raise SystemExit(f"{path} is not the file that is expected: remove it and try again")
        return path


AEON = Package(
    "aeon==1.6.0",
    "aeon-1.6.0-py3-none-any.whl",
    "d05227086706f80111ac5fee8de4d5d3115bb3bcfd1c786c8629393055816409",
)
