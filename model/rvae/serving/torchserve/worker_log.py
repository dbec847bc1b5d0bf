"""Why workers end, as TorchServe's log of them tells."""

import re
from pathlib import Path

__all__ = ["WorkerLog"]

FILE = "model.log"
DEATH = "Backend worker process died"
ERROR = re.compile(r"- ([\w.]+(Error|Exception)\b.*)")
# What TorchServe makes of a RuntimeError or a MemoryError of a handler, after it has told that.
WRAPPED = re.compile(r"RuntimeError: (500 - Unknown exception|507 - System out of memory)")


class WorkerLog:
    """What is written to the log of the workers from a position on.

    Args:
        logs: Folder of TorchServe's logs.
        begin: The position, in bytes; the present end of the log if None.

    Attributes:
        begin: The position.
    """

    def __init__(self, logs: Path, begin: int | None = None) -> None:
        self._path = logs / FILE
        # Logs are appended to: earlier lines are of other workers.
        self.begin = self._size() if begin is None else begin

    def failure(self, model: str = "") -> str | None:
        """The last error, if a worker has died.

        TorchServe reports the same state for a worker that fails to load as for one that is still
        loading, and restarts it repeatedly.

        Args:
            model: Name and version, `rvae_1.0`, if only its workers count.
        """
        lines = [line for line in self._lines() if f"-{model}-" in line or not model]
        deaths = sum(DEATH in line for line in lines)
        if not deaths:
            return None
        errors = [found[1] for line in lines if (found := ERROR.search(line))]
        if not errors and deaths == 1:
            return None  # the error comes after the line of the death, and is not yet written
        told = [error for error in errors if not WRAPPED.match(error)] or errors
        return told[-1] if told else f"see {self._path}"

    def _size(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0

    def _lines(self) -> list[str]:
        if not self._path.exists():
            return []
        with self._path.open("rb") as log:
            # A full log is moved away, and another one begun.
            log.seek(self.begin if self.begin <= self._size() else 0)
            return log.read().decode(errors="replace").splitlines()
