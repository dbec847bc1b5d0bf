"""Load on a server by wrk, an HTTP load generator in C that takes little of the processors."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rvae.errors import FieldError, require

__all__ = ["Load", "load", "read_report", "require_wrk"]

SCRIPT = Path(__file__).with_name("post.lua")
TIMEOUT_SECONDS = 60
ENDING_SECONDS = 30  # that wrk takes at the most to end after its time

LONGER = (1, 4, 16)  # durations of which the first one is enough, unless the machine is very busy


@dataclass(frozen=True)
class Load:
    """What clients have seen.

    Attributes:
        requests: Number of answers, all with status 200.
        seconds: Time from the start to the last answer.
        p50: Median latency of a lone client in seconds; None for several.
        p99: Latency that 1 % of the answers exceed, as `p50`.
    """

    requests: int
    seconds: float
    p50: float | None
    p99: float | None

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.requests / self.seconds


def require_wrk() -> None:
    """Raise a `FieldError` unless wrk is on the PATH."""
    require(shutil.which("wrk") is not None, "wrk", "is not on the PATH: apt-get install wrk")


def load(
    url: str,
    bodies: Sequence[Path],
    content_type: str,
    clients: int,
    seconds: float,
    least: int = 1,
) -> Load:
    """Let clients post bodies in turn, each the next one as soon as its last is answered.

    Args:
        url: Address to post to.
        bodies: Files with a body each.
        content_type: Type of the bodies.
        clients: Number of clients, each with a connection that it keeps.
        seconds: Duration, rounded to whole seconds.
        least: Answers that have to come; if fewer do, the load is repeated for longer.

    Raises:
        FieldError: If an answer has another status than 200, a connection fails, or too little is
            answered.
    """
    for factor in LONGER:
        measured = _load_once(url, bodies, content_type, clients, max(1, round(factor * seconds)))
        if measured.requests >= least:
            return measured
    raise FieldError("wrk", f"{url} has answered {measured.requests} requests, not {least}")


def _load_once(
    url: str, bodies: Sequence[Path], content_type: str, clients: int, seconds: int
) -> Load:
    command = [
        *("wrk", "--threads", "1", "--connections", str(clients)),
        *("--duration", f"{seconds}s", "--timeout", f"{TIMEOUT_SECONDS}s"),
        *("--script", str(SCRIPT), url, "--", str(clients), content_type, *map(str, bodies)),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds + TIMEOUT_SECONDS + ENDING_SECONDS
    )
    require(done.returncode == 0, "wrk", f"failed on {url}: {done.stderr.strip()}")
    return read_report(done.stdout, url)


def read_report(output: str, url: str) -> Load:
    """The report of post.lua, the last line of what wrk prints.

    Raises:
        FieldError: If an answer has another status than 200, or a connection fails.
    """
    report = json.loads(output.strip().splitlines()[-1])
    for name, fault in (("not_200", "another status than 200"), ("socket_errors", "failed")):
        count = report.pop(name)
        require(count == 0, "wrk", f"{count} requests to {url}: {fault}")
    return Load(**report)
