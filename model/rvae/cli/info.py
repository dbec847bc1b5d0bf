"""The command `rvae info`: what a model is."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rvae.cli.described import OF_REQUESTS, aligned, described_lines

if TYPE_CHECKING:
    from rvae.inference.artifact import Artifact

__all__ = ["info"]


def info(model: Path, json: bool = False) -> None:
    """Print what a model is: its inputs, its network, its threshold, how it was trained.

    Args:
        model: Checkpoint, archive, or a folder with one of them; or a model store, of which every
            archive is described.
        json: Print one JSON object, or a list of them for a model store.
    """
    from rvae.inference.model_files import find_model
    from rvae.serving.model_store import list_archives

    if is_store := model.is_dir() and next(model.glob("*.mar"), None) is not None:
        paths = [archive.path for archive in list_archives(model)]
    else:
        paths = [find_model(model)]
    found = [_described(path) for path in paths]
    if json:
        _write_json(found if is_store else found[0])
    else:
        print("\n\n".join(aligned(_lines(one)) for one in found))


def _write_json(content: Any) -> None:
    json.dump(content, sys.stdout, indent=1, ensure_ascii=False)
    print()


def _described(path: Path) -> dict[str, Any]:
    """The description that a server would give of a model, and what its file tells."""
    from rvae.inference.artifact import Artifact
    from rvae.inference.software import software_versions
    from rvae.serving.contract.description import describe
    from rvae.serving.model_store import read_archive

    artifact = Artifact.load(path)
    content: dict[str, Any] = {"path": str(path), "kind": "checkpoint", "bytes": _size(path)}
    if path.is_dir():
        content["kind"] = "folder of an artifact"
    elif path.suffix == ".mar":
        archive = read_archive(path)
        content |= {"kind": "archive", "name": archive.name, "version": archive.version}
        content["integrity"] = _integrity(path)
    content["parameters"] = _parameters(artifact)
    described = describe(artifact.card, artifact.checksum, software_versions())
    return content | {key: value for key, value in described.items() if key not in OF_REQUESTS}


def _integrity(path: Path) -> str:
    """Whether an archive is what was built; also of one that no server would take."""
    from rvae.errors import FieldError
    from rvae.serving.integrity import require_intact

    try:
        return require_intact(path).words
    except FieldError as error:
        return f"damaged: {error.message}"


def _size(path: Path) -> int:
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


def _parameters(artifact: "Artifact") -> int:
    return sum(parameter.numel() for parameter in artifact.build().parameters())


def _lines(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a person wants to know of a model: a name and a text for each line."""
    yield "model", f"{model['path']} ({model['kind']}, {model['bytes'] / 1e6:.3g} MB)"
    if "name" in model:
        yield "served as", f"{model['name']} {model['version']}"
        yield "integrity", model["integrity"]
    yield from described_lines(model)
