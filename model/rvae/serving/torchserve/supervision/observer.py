"""What TorchServe's management says from second to second, without waiting for it."""

from collections import deque
from pathlib import Path
from threading import Event, Thread

import requests

from rvae.serving.torchserve.registrations import (
    Registration,
    default_archives,
    read_registrations,
    restart_workers,
)
from rvae.serving.unix_http import UnixSession

__all__ = ["Observer"]

SECONDS = 1.0
# Where there is a GPU, TorchServe runs a program for every worker that it describes. What it serves
# is asked for when something seems to have changed, and otherwise in every fifth second.
DESCRIBED_EVERY = 5
# A request that one of Java's threads does not answer is followed by another one on a new
# connection, which goes to the next thread.
ANSWER_SECONDS = 3.0


class Observer:
    """Asks a TorchServe once a second what it serves, in a thread of its own.

    Args:
        management: TorchServe's socket of management.

    Attributes:
        answers: Number of answers until now.
        registrations: As of the last answer that told them.
    """

    def __init__(self, management: Path) -> None:
        self.answers = 0
        self.registrations: tuple[Registration, ...] = ()
        self._session = UnixSession(management)
        self._looking = Event()
        self._looking.set()
        self._restarts: deque[Registration] = deque()
        self._closed = False
        self._thread = Thread(target=self._run, name="observer", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Ask at once what is served: something has changed."""
        self._looking.set()

    def restart(self, registration: Registration) -> None:
        """Have the workers of a version started anew, before anything else is asked."""
        self._restarts.append(registration)
        self.look()

    def close(self) -> None:
        """Ask no more."""
        self._closed = True
        self._looking.set()
        self._thread.join()
        self._session.close()

    def _run(self) -> None:
        defaults: dict[str, str] = {}
        described = 0  # answers ago
        while not self._closed:
            changed = self._looking.wait(SECONDS)
            self._looking.clear()
            try:
                while self._restarts:  # it stays in here until both of its numbers are set
                    restart_workers(self._session, self._restarts[0], ANSWER_SECONDS)
                    self._restarts.popleft()
                latest = default_archives(self._session, ANSWER_SECONDS)
                if changed or latest != defaults or described + 1 >= DESCRIBED_EVERY:
                    self.registrations = read_registrations(self._session, latest, ANSWER_SECONDS)
                    defaults, described = latest, 0
                else:
                    described += 1
            except (requests.RequestException, ValueError, KeyError, TypeError):
                described = DESCRIBED_EVERY  # ask for everything the next time
                continue
            self.answers += 1
