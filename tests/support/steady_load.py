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
FAILED = (LOST, HUNG, 503)  # what another server may do better


class SteadyLoad:
    """One client for each path, on a connection that it keeps, until the context is left.

    Args:
        address: Of the server.
        paths: What the clients ask.
        body: A request in JSON.
        others: Of servers that are asked the same, once each, where one gives no answer or 503.

    Attributes:
        outcomes: Of each path, how often there was which: a status, "lost" or "hung".
        versions: Of each path, the versions that gave good answers.
        seconds: How long good answers took.
    """

    def __init__(
        self,
        address: Address,
        paths: Sequence[str],
        body: bytes,
        others: Sequence[Address] = (),
    ) -> None:
        self.outcomes: defaultdict[str, Counter[int | str]] = defaultdict(Counter)
        self.versions: defaultdict[str, set[str]] = defaultdict(set)
        self.seconds: list[float] = []
        self._addresses = (address, *others)
        self._body = body
        self._stopping = Event()
        self._threads = [
            Thread(target=self._ask_on, args=(path, turn)) for turn, path in enumerate(paths)
        ]

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

    def _ask_on(self, path: str, turn: int) -> None:
        failures = 0  # of one request
        while not self._stopping.is_set():
            address = self._addresses[turn % len(self._addresses)]
            connection = http.client.HTTPConnection(*address, timeout=PATIENCE)
            with closing(connection):
                stays = True
                while stays and not self._stopping.is_set():
                    outcome, stays = self._ask(connection, path)
                    has_failed = outcome in FAILED
                    failures = failures + 1 if has_failed else 0
                    if has_failed and failures < len(self._addresses):
                        turn, stays = turn + 1, False
                        continue
                    self.outcomes[path][outcome] += 1
                    failures = 0
                    self._stopping.wait(PACE)

    def _ask(self, connection: http.client.HTTPConnection, path: str) -> tuple[int | str, bool]:
        """Ask once; return what came of it, and whether the connection stays."""
        begin = time.monotonic()
        try:
            connection.request("POST", path, self._body, JSON)
            response = connection.getresponse()
            response.read()
        except TimeoutError:
            return HUNG, False
        except (OSError, http.client.HTTPException):
            return LOST, False
        if response.status == 200:
            self.seconds.append(time.monotonic() - begin)
            self.versions[path].add(response.getheader("rvae-version", ""))
        return response.status, not response.will_close
