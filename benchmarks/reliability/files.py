"""Promises on real series: the part of each file before its first anomaly."""

import re
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.detection.files import files_of, read_file
from benchmarks.reliability.trained_models import train_and_compare

__all__ = ["SETS", "FileTask", "file_task_of", "file_tasks", "measured_file"]

SETS = ("tsb-ad-u", "tsb-ad-m")
FIRST = re.compile(r"_1st_(\d+)\.csv$")
KNOWN = 2 / 3
MOST_FRESH = 50_000  # points: more would take longer, and hardly change a rate


class FileTask(NamedTuple):
    """A file.

    Attributes:
        folder: Folder of the sets.
        set: Folder of the file in it.
        file: Name of the file.
    """

    folder: str
    set: str
    file: str


def file_tasks(data: Path) -> list[FileTask]:
    """All files of the sets.

    Raises:
        FieldError: If a set has none.
    """
    return [FileTask(str(data), name, path.name) for name in SETS for path in files_of(data, name)]


def file_task_of(record: dict[str, Any], data: Path) -> FileTask:
    """The task of a record."""
    return FileTask(str(data), record["set"], record["file"])


def measured_file(task: FileTask) -> dict[str, Any]:
    """Train on the first two thirds of what is normal, and compare with the rest.

    Returns:
        Set, file, number of normal points and channels, and the results of `train_and_compare`; or
        the `error`.
    """
    path = Path(task.folder) / task.set / task.file
    found = FIRST.search(task.file)
    assert found is not None, "files_of checks the names"
    record: dict[str, Any] = {"set": task.set, "file": task.file}
    try:
        values = read_file(path).values[: int(found[1])]
        known = int(len(values) * KNOWN)
        record |= {"points": len(values), "channels": values.shape[1]}
        fresh = values[known : known + MOST_FRESH]
        return record | {"error": None} | train_and_compare(values[:known], fresh, {}, seed=0)
    except Exception as error:  # one file must not end the others
        return record | {"error": f"{type(error).__name__}: {error}"}
