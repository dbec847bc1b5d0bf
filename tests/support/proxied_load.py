"""Clients that ask through the proxy on and on: some ask again what fails, some do not."""

import http.client
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from threading import Event, Lock, Thread

import orjson

from rvae.client import Client, ClientError
from tests.support.exchanges import JSON, connect
from tests.support.fault_models import PATH, WINDOW
from tests.support.proxied import Proxied
from tests.support.waiting import wait_for

__all__ = ["ProxiedLoad"]

PACE = 0.02  # seconds between the requests of a client
PATIENCE = 60.0  # seconds for an answer
PERSISTENCE = 240.0  # seconds for an answer with all repetitions: a server may have to start
REQUEST = orjson.loads(WINDOW)


class ProxiedLoad:
    """Two clients that ask again and two that do not, until the context is left.

    Attributes:
        retried: Of the clients that ask again, how often there was which: "200" or an error.
        plain: Of the others: a status, or the error that there was in place of one.
        versions: That gave good answers.
    """

    def __init__(self, service: Proxied) -> None:
        self.retried: Counter[str] = Counter()
        self.plain: Counter[str] = Counter()
        self.versions: Counter[str] = Counter()
        self._service = service
        self._lock = Lock()
        self._seconds: list[float] = []
        self._last = time.monotonic()
        self._outage = 0.0
        self._stopping = Event()
        runs = (self._ask_again, self._ask_again, self._ask_once, self._ask_once)
        self._threads = [Thread(target=run) for run in runs]

    def __enter__(self) -> "ProxiedLoad":
        self._last = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    @property
    def lost(self) -> int:
        """Requests that failed for clients that ask again."""
        return self.retried.total() - self.retried["200"]

    @property
    def answered(self) -> int:
        """Good answers until now."""
        return self.retried["200"] + self.plain["200"]

    def await_answers(self, count: int = 100, seconds: float = 60) -> None:
        """Return after so many more good answers; fail if they do not come in time."""
        before = self.answered
        wait_for(lambda: self.answered >= before + count, seconds)

    def row(self, what: str) -> str:
        """A row of a table: what happened, and what clients saw of it."""
        ordered = sorted(self._seconds) or [0.0]
        p99 = ordered[int(0.99 * (len(ordered) - 1))]
        others = {name: count for name, count in self.plain.items() if name != "200"}
        return (
            f"| {what} | {self.retried.total()} | {self.lost} | {self.plain.total()} | "
            f"{sum(others.values())} {others or ''} | {p99:.3f} | {ordered[-1]:.3f} | "
            f"{self._outage:.2f} |"
        )

    def _ask_again(self) -> None:
        with self._service.client(PERSISTENCE) as client:
            while not self._stopping.is_set():
                self._count(self.retried, partial(_answered, client))
                self._stopping.wait(PACE)

    def _ask_once(self) -> None:
        while not self._stopping.is_set():
            connection = connect(self._service.address, PATIENCE, self._service.tls)
            with closing(connection):
                headers = JSON | self._service.credentials
                asking = partial(_status, connection, headers)
                while not self._stopping.is_set() and self._count(self.plain, asking):
                    self._stopping.wait(PACE)
            self._stopping.wait(PACE)

    def _count(self, counter: Counter[str], asking: Callable[[], tuple[str, str]]) -> bool:
        """Ask, note what came; return whether it was good."""
        begin = time.monotonic()
        outcome, version = asking()
        end = time.monotonic()
        with self._lock:
            counter[outcome] += 1
            if outcome == "200":
                self.versions[version] += 1
                self._seconds.append(end - begin)
                self._outage = max(self._outage, end - self._last)
                self._last = end
        return outcome == "200"


def _answered(client: Client) -> tuple[str, str]:
    try:
        answer = client.ask(REQUEST)
    except ClientError as error:
        return f"{type(error).__name__}: {error}", ""
    return "200", str(answer["version"])


def _status(connection: http.client.HTTPConnection, headers: dict[str, str]) -> tuple[str, str]:
    try:
        connection.request("POST", PATH, WINDOW, headers)
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__, ""
    return str(response.status), response.getheader("rvae-version", "")
