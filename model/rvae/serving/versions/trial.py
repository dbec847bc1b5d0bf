"""A new version and the old one answer the same requests, and are compared."""

from pathlib import Path

from rvae.errors import require
from rvae.serving.versions.bounds import Bounds
from rvae.serving.versions.candidate import Candidate
from rvae.serving.versions.comparison import compare
from rvae.serving.versions.management import Management
from rvae.serving.versions.replay import replay
from rvae.serving.versions.traffic import SUFFIX, Recorded, made_of, read_traffic

__all__ = ["Trial"]

# A request of a file of data has so many times the steps of the longer window.
WINDOWS_LONG = 2


class Trial:
    """Compares a candidate with the version that it is to replace.

    Args:
        management: Of the server.
        candidate: The new version.
        old: The old version.
        bounds: How far they may be apart.
    """

    def __init__(
        self, management: Management, candidate: Candidate, old: str, bounds: Bounds
    ) -> None:
        self._management = management
        self._candidate = candidate
        self._old = old
        self._bounds = bounds

    def replay(self, source: Path, most: int) -> str:
        """Ask both the same, and say how far they are apart.

        Args:
            source: Recorded traffic, or a file of data.
            most: Requests, at the most.

        Raises:
            FieldError: If they are further apart than the bounds.
        """
        requests = self._requests(source, most)
        archive = self._candidate.archive
        found = replay(self._management, archive.name, (self._old, archive.version), requests)
        compared = compare(*found)
        failures = compared.failures(self._bounds)
        require(not failures, "replay", f"{'; '.join(failures)} ({compared})")
        return str(compared)

    def _requests(self, source: Path, most: int) -> list[Recorded]:
        if source.suffix == SUFFIX:
            return read_traffic(source)[:most]
        card, name = self._candidate.card, self._candidate.archive.name
        old = self._management.describe(name, self._old)["card"]["window"]
        return made_of(source, card, WINDOWS_LONG * max(card.window, old), most)
