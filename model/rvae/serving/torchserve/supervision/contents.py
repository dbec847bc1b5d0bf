"""What of TorchServe's folder has to stay where it is, and whether it does.

TorchServe answers on when it is removed, also by what cleans up temporary files, until a worker has
to be started: then there is no worker any more.
"""

import os
from collections.abc import Iterable
from pathlib import Path

__all__ = ["Contents"]

# TorchServe removes the folder of a version that is unregistered, while its workers are ending.
LEAVING_SECONDS = 5.0


class Contents:
    """The files of a running TorchServe.

    Args:
        home: Folder with its worker.
        sockets: Where it listens.
    """

    def __init__(self, home: Path, sockets: Iterable[Path]) -> None:
        self._always = [*_files(home), *sockets]
        self._models: dict[Path, list[Path]] = {}
        self._absent: dict[Path, float] = {}  # folders of models, since when a file of them is

    def missing(self, models: Iterable[Path], seconds: float) -> Path | None:
        """A file that was there and has to be, if there is one.

        Args:
            models: Folders that workers have their models in.
            seconds: The time.
        """
        self._models = {folder: self._models.get(folder) or _files(folder) for folder in models}
        gone = {folder: path for folder, files in self._models.items() if (path := _gone(files))}
        self._absent = {folder: self._absent.get(folder, seconds) for folder in gone}
        late = (
            gone[folder]
            for folder, since in self._absent.items()
            if seconds - since >= LEAVING_SECONDS
        )
        return _gone(self._always) or next(late, None)


def _gone(files: Iterable[Path]) -> Path | None:
    return next((path for path in files if not os.path.lexists(path)), None)


def _files(folder: Path) -> list[Path]:
    """Every file below a folder, without what Python compiles meanwhile."""
    return [path for path in folder.rglob("*") if "__pycache__" not in path.parts]
