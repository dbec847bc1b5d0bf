"""Archives of versions that nobody loads."""

import json
import zipfile
from pathlib import Path

from rvae.serving.model_store import Archive, read_archive

__all__ = ["fake_archive"]


def fake_archive(folder: Path, version: str, name: str = "waves") -> Archive:
    """A file that says which version of which model it holds."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}.mar"
    with zipfile.ZipFile(path, "w") as packed:
        model = {"modelName": name, "modelVersion": version}
        packed.writestr("MAR-INF/MANIFEST.json", json.dumps({"model": model}))
    return read_archive(path)
