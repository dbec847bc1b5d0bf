"""Clients that ask on and on, and keep account of every request."""

import http.client
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from threading import Event, Thread

from tests.support.exchanges import JSON, Address
from tests.support.waiting import wait_for

__all__ = ["SteadyLoad"]

PACE = 0.01  # seconds between the requests of a client
PATIENCE = 30.0  # seconds, after which a request hangs
LOST, HUNG = "lost", "hung"


class SteadyLoad:
    """One client for each path, on a connection that it keeps, until the context is left.

    Args:
        address: Of the server.
        paths: What the clients ask.
        body: A request in JSON.

    Attributes:
        outcomes: Of each path, how often there was which: a status, "lost" or "hung".
        versions: Of each path, the versions that gave good answers.
        seconds: How long good answers took.
    """

    def __init__(self, address: Address, paths: Sequence[str], body: bytes) -> None:
        self.outcomes: defaultdict[str, Counter[int | str]] = defaultdict(Counter)
        self.versions: defaultdict[str, set[str]] = defaultdict(set)
        self.seconds: list[float] = []
        self._address = address
        self._body = body
        self._stopping = Event()
        self._threads = [Thread(target=self._ask_on, args=(path,)) for path in paths]

    def __enter__(self) -> "SteadyLoad":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def answered(self, path: str) -> int:
        """Good answers until now."""
        return self.outcomes[path][200]

    def await_answers(self, path: str, count: int = 50, seconds: float = 60) -> None:
        """Return after so many more good answers; fail if they do not come in time."""
        before = self.answered(path)
        wait_for(lambda: self.answered(path) >= before + count, seconds)

    def summary(self) -> str:
        """All of it in a line."""
        total: Counter[int | str] = Counter()
        for outcomes in self.outcomes.values():
            total += outcomes
        ordered = sorted(self.seconds) or [0.0]
        p99 = ordered[int(0.99 * (len(ordered) - 1))]
        return (
            f"sent {total.total()}, lost {total[LOST]}, hung {total[HUNG]}, p99 {p99:.3f} s, "
            f"longest {ordered[-1]:.3f} s, {dict(total)}"
        )

    def _ask_on(self, path: str) -> None:
        while not self._stopping.is_set():
            connection = http.client.HTTPConnection(*self._address, timeout=PATIENCE)
            with closing(connection):
                while not self._stopping.is_set() and self._ask(connection, path):
                    self._stopping.wait(PACE)

    def _ask(self, connection: http.client.HTTPConnection, path: str) -> bool:
        """Ask once; return whether the connection stays."""
        begin = time.monotonic()
        try:
            connection.request("POST", path, self._body, JSON)
            response = connection.getresponse()
            response.read()
        except TimeoutError:
            self.outcomes[path][HUNG] += 1
            return False
        except (OSError, http.client.HTTPException):
            self.outcomes[path][LOST] += 1
            return False
        self.outcomes[path][response.status] += 1
        if response.status == 200:
            self.seconds.append(time.monotonic() - begin)
            self.versions[path].add(response.getheader("rvae-version", ""))
        return not response.will_close
