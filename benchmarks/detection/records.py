"""Records of measurements, one line of JSON each."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from rvae.errors import FieldError

__all__ = ["Record", "Task", "append", "read_records"]

RESULTS = "results.jsonl"


class Task(NamedTuple):
    """A unit of measurement, repeated only if it failed.

    Attributes:
        method: Name of the method.
        set: Folder of the file.
        file: Name of the file.
        seed: Seed of the method.
    """

    method: str
    set: str
    file: str
    seed: int


@dataclass(frozen=True)
class Record:
    """Result of a task.

    Attributes:
        task: The task.
        figures: Metrics, sizes and seconds by name; empty if it failed.
        error: Error message, if it failed.
    """

    task: Task
    figures: dict[str, float]
    error: str | None = None


def append(output: Path, record: Record) -> None:
    """Add a line to the results in the folder `output`."""
    row = {**record.task._asdict(), **record.figures, "error": record.error}
    with (output / RESULTS).open("a") as file:
        file.write(json.dumps(row) + "\n")


def read_records(output: Path) -> list[Record]:
    """The last record of each task in the folder `output`; empty before the first measurement.

    Raises:
        FieldError: If a line was not written by `append`.
    """
    path = output / RESULTS
    if not path.exists():
        return []
    with path.open() as file:
        records = (_parsed(number, line) for number, line in enumerate(file, start=1))
        return _last_of_each(records)


def _last_of_each(records: Iterable[Record]) -> list[Record]:
    return list({record.task: record for record in records}.values())


def _parsed(number: int, line: str) -> Record:
    try:
        row: dict[str, Any] = json.loads(line)
        task = Task(*(row.pop(name) for name in Task._fields))
        return Record(task, error=row.pop("error"), figures=row)
    except (ValueError, KeyError) as error:
        raise FieldError(RESULTS, f"line {number} is broken: remove it") from error
