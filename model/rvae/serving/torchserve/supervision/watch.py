"""What is known from outside of a running TorchServe, and what is wrong with it."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import psutil

from rvae.serving.torchserve.registrations import Registration
from rvae.serving.torchserve.supervision.contents import Contents
from rvae.serving.torchserve.supervision.observer import Observer
from rvae.serving.torchserve.supervision.recovery import Recovery
from rvae.serving.torchserve.supervision.workers import POLL_SECONDS, Patience, Workers

__all__ = ["S", "Server", "Trouble", "Watch"]

logger = logging.getLogger(__name__)

# Seconds without an answer of management, where requests come every second. A collection of garbage
# or an archive that is unpacked takes a while, but stops no process.
STOPPED_SECONDS = 3.0
HUNG_SECONDS = 15.0
POLLS_BETWEEN_LOOKS = 10
# After so many restarts of workers that brought none, TorchServe itself is replaced, unless it
# answers for other models.
MOST_RESTARTS = 2


class Server(Protocol):
    """Of TorchServe, what its supervisor needs."""

    registrations: tuple[Registration, ...]
    awaited: list[Registration]
    scratch: Path
    heartbeats: Path
    inference: Path
    management: Path
    metrics: Path

    @property
    def pid(self) -> int:
        """Process id of Java."""

    def has_ended(self) -> bool:
        """Whether Java has ended."""

    def wait_until_ready(self, seconds: float) -> None:
        """Return when every one of `awaited` has answered a prediction."""

    def kill(self) -> None:
        """End Java and its workers at once."""

    def stop(self) -> None:
        """End it, and remove its folder."""


S = TypeVar("S", bound=Server)


@dataclass(frozen=True)
class Trouble:
    """Why a TorchServe has to be replaced.

    Attributes:
        words: What is wrong with it.
        alive: Whether it answers all the same what it has been asked.
        reachable: Whether it can be asked by new connections.
    """

    words: str
    alive: bool = False
    reachable: bool = False


class Watch(Generic[S]):
    """Looks after one TorchServe that is ready.

    Args:
        server: The TorchServe.
        patience: When a worker counts as hung.

    Attributes:
        server: As given.
        proven: Versions that have been ready since they were registered.
        lost_worker: Whether the last poll missed a worker that lived before.
    """

    def __init__(self, server: S, patience: Patience) -> None:
        self.server = server
        self.proven = {one.key for one in server.awaited}
        self._java = psutil.Process(server.pid)
        self._workers = Workers(server.heartbeats, server.pid, patience)
        self._observer = Observer(server.management)
        sockets = (server.inference, server.management, server.metrics)
        self._contents = Contents(server.scratch / "home", sockets)
        self._recovery = Recovery(self._has_process)
        self._folders: dict[tuple[str, str], Path] = {}
        self._living = self._workers.living
        self.lost_worker = False
        self._answers = 0
        self._silent = 0  # polls since the last answer
        self._polls = 0
        self._ended = False

    @property
    def registrations(self) -> Sequence[Registration]:
        """What it serves."""
        return self._observer.registrations

    @property
    def idle(self) -> bool:
        """Whether no worker works on anything."""
        return not self._workers.busy

    def unready(self) -> list[str]:
        """Words on what does not answer, or would not.

        A version that is added is none of it: nobody was sent to it before.
        """
        if self._silence >= STOPPED_SECONDS:
            return [f"TorchServe has not answered for {self._silence:.0f} s"]
        if not self._answers:
            return []  # it was ready when this watch began
        return [
            f"{one} has no worker that is ready"
            for one in self.registrations
            if one.min_workers and one.key in self.proven and not self._ready(one)
        ]

    def answering(self) -> frozenset[tuple[str, str]]:
        """Names and versions of what answers."""
        if self._silence >= STOPPED_SECONDS:
            return frozenset()
        if not self._answers:
            return frozenset(self.proven)  # as above
        return frozenset(one.key for one in self.registrations if self._ready(one))

    def poll(self, punctual: bool) -> Trouble | None:
        """Look at everything once; do what helps.

        Args:
            punctual: Whether the time since the last poll is the time between polls.
        """
        if self.server.has_ended():
            return Trouble("TorchServe has ended")
        for words in self._workers.poll(punctual):
            logger.warning("Ended a %s", words)
        before, self._living = self._living, self._workers.living
        self.lost_worker = bool(before - self._living)
        changed = before != self._living
        if changed:
            self._observer.look()
        if self._hangs(punctual):
            return Trouble("TorchServe hangs")
        self._polls += 1
        if changed or self._polls % POLLS_BETWEEN_LOOKS == 0:
            return self._look()
        return None

    def end(self, at_once: bool = False) -> None:
        """End the TorchServe, unless it has been ended."""
        if self._ended:
            return
        self._ended = True
        if at_once:
            self.server.kill()
        self._observer.close()
        self._workers.close()
        self.server.stop()

    def _hangs(self, punctual: bool) -> bool:
        if self._observer.answers != self._answers:
            self._answers = self._observer.answers
            self._silent = 0
        elif punctual:
            self._silent += 1
        if self._silence >= HUNG_SECONDS:
            return True
        return self._silence >= STOPPED_SECONDS and self._is_stopped()

    def _is_stopped(self) -> bool:
        try:
            return self._java.status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
        except psutil.NoSuchProcess:
            return True

    @property
    def _silence(self) -> float:
        """Seconds without an answer of management, which is asked every second."""
        return self._silent * POLL_SECONDS

    def _look(self) -> Trouble | None:
        now = self._polls * POLL_SECONDS
        missing = self._contents.missing(self._workers.folders(), now)
        if missing is not None:
            reachable = self.server.inference.exists()
            return Trouble(f"{missing} was removed", alive=True, reachable=reachable)
        if self._observer.answers:
            self.proven &= {one.key for one in self.registrations}
        for one in self.registrations:
            if self._ready(one):
                self.proven.add(one.key)
            for pid in one.ready & self._living:
                self._folders[one.key] = self._workers.folder(pid)
        # What is registered again has another one.
        self._folders = {key: path for key, path in self._folders.items() if path.is_dir()}
        ready = {pid for one in self.registrations for pid in self._ready(one)}
        for one, before in self._recovery.given_up(self.registrations, ready, now):
            if before >= MOST_RESTARTS and not ready:
                return Trouble("no model gets a worker any more")
            logger.warning("%s has no worker, and TorchServe starts none: it is told to", one)
            self._observer.restart(one)
        if self.unready():
            self._observer.look()
        return None

    def _ready(self, registration: Registration) -> list[int]:
        """The workers of a version that are ready, and still live."""
        return [pid for pid in registration.ready if self._workers.lives(pid)]

    def _has_process(self, registration: Registration) -> bool:
        """Whether a worker of it runs, perhaps too young for a heartbeat."""
        found = set()
        with suppress(psutil.NoSuchProcess):
            for child in self._java.children():
                with suppress(psutil.Error):  # it has ended
                    found.add(Path(child.cwd()))
        folder = self._folders.get(registration.key)
        if folder is not None:
            return folder in found
        # It has not been ready yet. Which model a new worker loads cannot be seen from outside.
        return bool(found - set(self._folders.values()))
