"""What was measured, kept for the next process that runs the same model here."""

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from rvae.inference.runtimes.tuning import MAX_BATCH, Tuning

__all__ = ["kept_tuning"]


def kept_tuning(
    folder: Path, checksum: str, runtime: str, threads: int, measure: Callable[[], Tuning]
) -> Tuning:
    """What an earlier process has measured, or what is measured now.

    A folder that cannot be written, or a file that holds something else, does no harm.

    Args:
        folder: Folder of such files, of this machine and for as long as its processors are the
            same.
        checksum: Checksum of the model.
        runtime: Name of the runtime.
        threads: Threads that may be used.
        measure: Measures it.
    """
    # A file for each of these; what else it says is not trusted.
    key = hashlib.sha256(f"{checksum} {runtime} {threads}".encode()).hexdigest()[:16]
    path = folder / f"tuning-{key}.json"
    found = _read(path, threads)
    if found is None:
        found = measure()
        _write(path, found)
    return found


def _read(path: Path, threads: int) -> Tuning | None:
    try:
        found = Tuning(**json.loads(path.read_bytes()))
        whole = (
            (found.threads, threads),
            (found.windows_per_run, MAX_BATCH),
            (found.concurrency, threads),
        )
        known = all(type(number) is int and 1 <= number <= most for number, most in whole)
        measured = (found.seconds_alone, found.windows_per_second)
        known &= all(type(number) is float and number > 0 for number in measured)
    except (OSError, ValueError, TypeError):
        return None
    return found if known else None


def _write(path: Path, tuning: Tuning) -> None:
    unfinished = path.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        unfinished.write_text(json.dumps(asdict(tuning)))
        unfinished.replace(path)
