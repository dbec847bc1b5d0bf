"""Measurements on disk: one line of JSON per task, so that an interrupted run can be continued."""

import json
import os
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import torch
from rich.progress import track

from rvae.errors import FieldError, require

__all__ = ["read_records", "run"]

# Environment variables with the number of threads of libraries.
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

Record = dict[str, Any]
Task = TypeVar("Task", bound=Hashable)


def read_records(path: Path) -> list[Record]:
    """The records of a file; none if there is no file.

    Raises:
        FieldError: If a line is no record.
    """
    if not path.exists():
        return []
    try:
        return [json.loads(line) for line in path.read_text().splitlines()]
    except ValueError as error:
        raise FieldError(path.name, f"has a broken line: remove it ({error})") from None


def run(
    path: Path,
    tasks: Iterable[Task],
    work: Callable[[Task], Record],
    task_of: Callable[[Record], Task],
    jobs: int,
) -> None:
    """Do the tasks that have no record yet, and write each record at once.

    Args:
        path: File of the records.
        tasks: The tasks.
        work: Does a task; a function of a module, for it runs in other processes.
        task_of: The task of a record.
        jobs: Processes of one thread each.
    """
    require(jobs >= 1, "--jobs", "must be at least 1")
    done = {task_of(record) for record in read_records(path)}
    left: Sequence[Task] = [task for task in tasks if task not in done]
    path.parent.mkdir(parents=True, exist_ok=True)
    # New processes read them; this one has its threads already.
    os.environ.update(dict.fromkeys(THREADS, "1"))
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), torch.set_num_threads, (1,))
    try:
        futures = [pool.submit(work, task) for task in left]
        for future in track(as_completed(futures), "", len(futures)):
            with path.open("a") as file:
                file.write(json.dumps(future.result()) + "\n")
    finally:
        pool.shutdown(cancel_futures=True)
