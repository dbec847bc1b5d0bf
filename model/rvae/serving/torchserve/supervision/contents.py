"""What of TorchServe's folder has to stay where it is, and whether it does.

TorchServe answers on when it is removed, also by what cleans up temporary files, until a worker has
to be started: then there is no worker any more.
"""

import os
from collections.abc import Iterable
from pathlib import Path

__all__ = ["Contents"]


class Contents:
    """The files of a running TorchServe.

    Args:
        home: Folder with its worker.
        sockets: Where it listens.
    """

    def __init__(self, home: Path, sockets: Iterable[Path]) -> None:
        self._always = [*_files(home), *sockets]
        self._models: dict[Path, list[Path]] = {}

    def missing(self, models: Iterable[Path]) -> Path | None:
        """A file that was there, if there is one.

        Args:
            models: Folders that workers have their models in.
        """
        now = {folder: self._models.get(folder) or _files(folder) for folder in models}
        self._models = now  # TorchServe removes those of models that are unregistered
        expected = (path for files in (self._always, *now.values()) for path in files)
        return next((path for path in expected if not os.path.lexists(path)), None)


def _files(folder: Path) -> list[Path]:
    """Every file below a folder, without what Python compiles meanwhile."""
    return [path for path in folder.rglob("*") if "__pycache__" not in path.parts]
