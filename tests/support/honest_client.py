"""A client that does nothing wrong, and keeps account of how it was served."""

import http.client
import time
from collections import Counter
from contextlib import closing
from threading import Event, Thread

from tests.support.waiting import wait_for

__all__ = ["HonestClient"]

PACE = 0.05  # seconds between requests
PATIENCE = 2.0  # seconds for an answer


class HonestClient:
    """Asks for one window at a time, on a new connection each, until the context is left.

    Args:
        address: Of the server.
        path: Of the model.
        body: A request in JSON.

    Attributes:
        statuses: How often each status was answered; 0 is no answer.
        slowest: The longest time of a good answer, in seconds.
    """

    def __init__(self, address: tuple[str, int], path: str, body: bytes) -> None:
        self.statuses: Counter[int] = Counter()
        self.slowest = 0.0
        self._address = address
        self._path = path
        self._body = body
        self._longest = 0.0
        self._served = time.monotonic()
        self._stopping = Event()
        self._thread = Thread(target=self._ask_on)

    def __enter__(self) -> "HonestClient":
        self._served = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._longest = self.outage
        self._stopping.set()
        self._thread.join()

    @property
    def outage(self) -> float:
        """The longest time without a good answer, in seconds."""
        if self._thread.is_alive():
            return max(self._longest, time.monotonic() - self._served)
        return self._longest

    @property
    def answered(self) -> int:
        """Good answers."""
        return self.statuses[200]

    @property
    def failed(self) -> int:
        """Requests without an answer, or with one that says that the server failed."""
        return self.statuses[0] + self.statuses[500]

    def await_answers(self, count: int = 20, seconds: float = 60) -> None:
        """Return after so many more good answers; fail if they do not come in time."""
        before = self.answered
        wait_for(lambda: self.answered >= before + count, seconds)

    def _ask_on(self) -> None:
        while not self._stopping.is_set():
            begin = time.monotonic()
            status = self._ask()
            end = time.monotonic()
            self.statuses[status] += 1
            if status == 200:
                self.slowest = max(self.slowest, end - begin)
                self._longest = max(self._longest, end - self._served)
                self._served = end
            self._stopping.wait(max(0.0, begin + PACE - end))

    def _ask(self) -> int:
        connection = http.client.HTTPConnection(*self._address, timeout=PATIENCE)
        headers = {"Content-Type": "application/json"}
        with closing(connection):
            try:
                connection.request("POST", self._path, self._body, headers)
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                return 0
            return response.status
