"""The archives in a model store, and the order of their versions."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

from rvae.errors import FieldError, require

__all__ = ["Archive", "list_archives", "read_archive"]


@dataclass(frozen=True)
class Archive:
    """A .mar file, with the name and version in its manifest."""

    path: Path
    name: str
    version: str


def read_archive(path: Path) -> Archive:
    """Name and version of the model in an archive.

    Raises:
        FieldError: If the file is not an archive.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            model = json.loads(packed.read("MAR-INF/MANIFEST.json"))["model"]
        return Archive(path, str(model["modelName"]), str(model["modelVersion"]))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        raise FieldError("store", f"{path} is not a model archive") from None


def list_archives(store: Path) -> list[Archive]:
    """The archives of a model store, by name and with the newest version first.

    Raises:
        FieldError: If there are none, one is not an archive, or two hold the same version.
    """
    require(store.is_dir(), "store", f"no such folder: {store}")
    archives = [read_archive(path) for path in sorted(store.glob("*.mar"))]
    require(bool(archives), "store", f"no archive in {store}: make one with rvae archive")
    seen: dict[tuple[str, str], Archive] = {}
    for archive in archives:
        key = (archive.name, archive.version)
        if key in seen:
            raise FieldError(
                "store",
                f"{archive.path.name} and {seen[key].path.name} both hold "
                f"{archive.name} {archive.version}",
            )
        seen[key] = archive
    archives.sort(key=lambda archive: _version_key(archive.version), reverse=True)
    return sorted(archives, key=lambda archive: archive.name)


def _version_key(version: str) -> tuple[bool, Version | str]:
    try:
        return True, Version(version)
    except InvalidVersion:
        return False, version
