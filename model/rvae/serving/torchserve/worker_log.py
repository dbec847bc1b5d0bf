"""What the log of TorchServe's workers says of versions that do not load."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from rvae.errors import FieldError
from rvae.serving.torchserve.registrations import Registration

__all__ = ["UnreadyError", "WorkerLog"]

DEATH = "Backend worker process died"
# TorchServe names the threads that write it for the port, the model and the version.
LINE = re.compile(r"\S+ +\S+ +W-[0-9]+-(?P<of>.+)-std(?:out|err) - (?P<text>.*)")
ERROR = re.compile(r"([\w.]+(?:Error|Exception)\b.*)")


class UnreadyError(FieldError):
    """Versions that do not become ready.

    Attributes:
        reasons: Why each of them does not, in words.
    """

    def __init__(self, reasons: Mapping[Registration, str]) -> None:
        super().__init__(
            "server", "; ".join(f"{one} ({one.file}) {why}" for one, why in reasons.items())
        )
        self.reasons = dict(reasons)


class WorkerLog:
    """The lines that are written from now on: earlier ones belong to other servers.

    Args:
        path: The log, which need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0

    def failures(self, versions: Iterable[Registration]) -> dict[Registration, str]:
        """Those versions of which a worker has died, and why, in words.

        TorchServe reports the same state for a worker that fails to load as for one that is still
        loading, and restarts it repeatedly.
        """
        said = self._lines()
        reasons = {one: self._reason(said.get(f"{one.name}_{one.version}", [])) for one in versions}
        return {one: f"does not load: {why}" for one, why in reasons.items() if why is not None}

    def _reason(self, lines: list[str]) -> str | None:
        deaths = sum(DEATH in line for line in lines)
        if not deaths:
            return None
        errors = [found[1] for line in lines if (found := ERROR.match(line))]
        if not errors and deaths == 1:
            return None  # the error comes after the line of the death, and is not yet written
        return errors[-1] if errors else f"see {self._path}"

    def _lines(self) -> dict[str, list[str]]:
        """What workers have written, by model and version."""
        if not self._path.exists():
            return {}
        with self._path.open("rb") as log:
            log.seek(self._offset)
            text = log.read().decode(errors="replace")
        lines: dict[str, list[str]] = {}
        for line in text.splitlines():
            if found := LINE.match(line):
                lines.setdefault(found["of"], []).append(found["text"])
        return lines
