"""The archives in a model store."""

import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from rvae.errors import FieldError, require
from rvae.serving.version_order import version_key

__all__ = [
    "MANIFEST",
    "Archive",
    "StoreContent",
    "Versioned",
    "list_archives",
    "newest_first",
    "read_archive",
    "read_store",
]

MANIFEST = "MAR-INF/MANIFEST.json"


class Versioned(Protocol):
    """What has the name and the version of a model."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...


V = TypeVar("V", bound=Versioned)


@dataclass(frozen=True)
class Archive:
    """A .mar file, with the name and version in its manifest."""

    path: Path
    name: str
    version: str

    @property
    def key(self) -> tuple[str, str]:
        """Name and version."""
        return self.name, self.version

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class StoreContent:
    """What a model store holds.

    Attributes:
        archives: By name, and with the newest version first.
        refused: A line for every other file, with its reason.
    """

    archives: tuple[Archive, ...]
    refused: tuple[str, ...]


def read_archive(path: Path, field: str = "store") -> Archive:
    """Name and version of the model in an archive.

    Args:
        path: The archive.
        field: What an error is about.

    Raises:
        FieldError: If the file is not an archive.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            model = json.loads(packed.read(MANIFEST))["model"]
        return Archive(path, str(model["modelName"]), str(model["modelVersion"]))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise FieldError(field, f"{path} is not a model archive: {_reason(error)}") from None


def read_store(store: Path, check: Callable[[Path], object] = lambda path: None) -> StoreContent:
    """The archives of a model store, without the files that cannot be served.

    Args:
        store: A folder.
        check: Raises a `FieldError` for an archive that is not to be served.

    Raises:
        FieldError: If there is no such folder.
    """
    require(store.is_dir(), "store", f"no such folder: {store}")
    readable, refused = [], []
    for path in sorted(store.glob("*.mar")):
        try:
            archive = read_archive(path)
            check(path)
            readable.append(archive)
        except FieldError as error:
            refused.append(error.message)
    found: dict[tuple[str, str], Archive] = {}
    for one in sorted(readable, key=_has_unusual_name):
        first = found.setdefault(one.key, one)
        if first is not one:
            refused.append(f"{one.path.name} and {first.path.name} both hold {one}")
    return StoreContent(tuple(newest_first(found.values())), tuple(refused))


def list_archives(store: Path) -> list[Archive]:
    """The archives of a model store, by name and with the newest version first.

    Raises:
        FieldError: If there are none, one is not an archive, or two hold the same version.
    """
    content = read_store(store)
    require(not content.refused, "store", "; ".join(content.refused))
    require(bool(content.archives), "store", f"no archive in {store}: make one with rvae archive")
    return list(content.archives)


def newest_first(versions: Iterable[V]) -> list[V]:
    """Versions of models by name, and with the newest one first."""
    latest = sorted(versions, key=lambda one: version_key(one.version), reverse=True)
    return sorted(latest, key=lambda one: one.name)


def _has_unusual_name(archive: Archive) -> bool:
    return archive.path.name != f"{archive.name}-{archive.version}.mar"


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, zipfile.BadZipFile):
        return "it is no zip file, or is cut off"
    return "it has no manifest of a model"
