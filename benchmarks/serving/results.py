"""What was measured, in a file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Record", "Results", "read_results", "write_results"]


@dataclass(frozen=True)
class Record:
    """One round of a server, or of an archive in this process (with no workers).

    Attributes:
        server: Name of the server.
        workers: Its processes that run the network; 0 without a server.
        round: Number of the round: records of a round are measured one soon after the other.
        values: Measured values by name.
    """

    server: str
    workers: int
    round: int
    values: dict[str, float]


@dataclass(frozen=True)
class Results:
    """All rounds.

    Attributes:
        machine: Description of the machine, by title.
        threads: Threads of each worker.
        seconds: Duration of each load.
        records: What was measured.
    """

    machine: dict[str, str]
    threads: int
    seconds: float
    records: list[Record]

    @property
    def rounds(self) -> int:
        """Number of rounds."""
        return 1 + max((record.round for record in self.records), default=-1)


def write_results(results: Results, path: Path) -> None:
    """Write results as JSON."""
    path.write_text(json.dumps(asdict(results), indent=1) + "\n")


def read_results(path: Path) -> Results:
    """Read what `write_results` has written."""
    content = json.loads(path.read_text())
    records = [Record(**record) for record in content.pop("records")]
    return Results(**content, records=records)
