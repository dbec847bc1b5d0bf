"""Keeps TorchServe answering: its workers, its Java and its folder, and says so if it cannot.

TorchServe notices workers that have ended, but none that hang; nobody notices Java. So a thread
looks at both ten times a second. What cannot be healed in place is replaced: by another TorchServe
that serves the same versions, each with its number of workers, and with the same defaults.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Generic

from rvae.errors import FieldError, require
from rvae.serving.torchserve.registrations import Registration, absence
from rvae.serving.torchserve.state_file import StateFile
from rvae.serving.torchserve.supervision.health import Health, full_disks
from rvae.serving.torchserve.supervision.watch import S, Trouble, Watch
from rvae.serving.torchserve.supervision.workers import POLL_SECONDS, Patience
from rvae.serving.torchserve.unready import UnreadyError

__all__ = ["Calls", "Supervisor"]

logger = logging.getLogger(__name__)

# What came later than this was kept from coming in time.
PUNCTUAL_SECONDS = 3 * POLL_SECONDS
POLLS_BETWEEN_DISKS = 50
MOST_FAILURES = 3
PAUSE_SECONDS = 1.0  # after a failure; twice as long after the next one
# To the next attempt to replace a TorchServe that still answers.
ATTEMPT_SECONDS = 60.0
# A TorchServe that was replaced ends when it has been idle for so long, or at the latest.
IDLE_SECONDS = 1.0
DRAIN_SECONDS = 120.0


@dataclass(frozen=True)
class Calls(Generic[S]):
    """What the supervisor calls, from its thread.

    Attributes:
        switch: From now on requests go to this TorchServe, which is ready.
        hold: No TorchServe answers: requests are to wait until `switch`.
        repeat: A worker has ended. TorchServe fails the requests that it had, but may forget some:
            those that are not answered soon are to be sent again.
        end: None can be started; the reason in words.
    """

    switch: Callable[[S], object]
    hold: Callable[[], object]
    repeat: Callable[[], object]
    end: Callable[[str], object]


class Supervisor(Generic[S]):
    """Starts a TorchServe, and keeps one answering until it is stopped.

    A TorchServe ends with the thread that started it, which is the supervisor's own.

    Args:
        launch: Starts a TorchServe with what is to be registered, and with those of it that are to
            become ready.
        state: What to serve, at every start.
        logs: Folder for logs, whose disk is watched.
        calls: What to call.
        seconds: In which a TorchServe has to become ready.
        two_fit: Whether there is memory for two at once: then one that still answers does so until
            the next one is ready.
        patience: When a worker counts as hung.
    """

    def __init__(
        self,
        launch: Callable[[Sequence[Registration], Sequence[Registration]], S],
        state: StateFile,
        logs: Path,
        calls: Calls[S],
        seconds: float = 120.0,
        two_fit: bool = True,
        patience: Patience | None = None,
    ) -> None:
        self._launch = launch
        self._state = state
        self._logs = logs
        self._calls = calls
        self._seconds = seconds
        self._two_fit = two_fit
        self._patience = patience or Patience()
        self._stopping = Event()
        self._started = Event()
        self._failure: Exception | None = None
        self._starting: S | None = None
        self._current: Watch[S] | None = None
        self._retired: list[_Retired[S]] = []
        self._trouble: Trouble | None = None
        self._next_attempt = 0.0
        self._health = Health(False, ("TorchServe starts",))
        self._answering: frozenset[tuple[str, str]] = frozenset()
        self._thread = Thread(target=self._run, name="supervisor", daemon=True)

    def __enter__(self) -> "Supervisor[S]":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start a TorchServe, and return when it is ready.

        Raises:
            FieldError: If it ends, or is not ready in time.
        """
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            raise self._failure

    def health(self) -> Health:
        """The state of the server; from any thread, and at once."""
        if self._thread.is_alive():
            return self._health
        return Health(False, ("nobody looks after TorchServe",))

    @property
    def answering(self) -> Collection[tuple[str, str]]:
        """Names and versions of the models that are ready; from any thread, and at once."""
        return self._answering if self._thread.is_alive() else ()

    @property
    def registrations(self) -> Sequence[Registration]:
        """What is served, as of a few seconds ago."""
        return self._current.registrations if self._current else ()

    def stop(self) -> None:
        """End every TorchServe."""
        self._stopping.set()
        if (starting := self._starting) is not None:
            starting.kill()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            current = self._begin_first()
        except Exception as error:
            self._failure = error
            self._started.set()
            return
        try:
            self._switch(current)
            self._started.set()
            self._keep(current)
        except Exception as error:
            logger.exception("The supervisor ended")
            self._calls.end(f"nobody looks after TorchServe: {error!r}")
        finally:
            for retired in self._retired:
                retired.watch.end()

    def _begin_first(self) -> Watch[S]:
        """Start a TorchServe with what becomes ready of what there is to serve."""
        while True:
            try:
                return self._begin([one for one in self._state.registrations if one.min_workers])
            except UnreadyError as error:
                if not self._leave_out(error.reasons):
                    raise

    def _leave_out(self, reasons: Mapping[Registration, str]) -> bool:
        """Leave out what cannot be served; False if nothing that has workers would be left."""
        lost = {one.key for one in reasons}
        if not any(one.min_workers and one.key not in lost for one in self._state.registrations):
            return False
        for one, why in reasons.items():
            logger.warning("No longer served: %s (%s) %s", one, one.file, why)
        self._state.leave_out(lost)
        return True

    def _begin(self, awaited: Sequence[Registration]) -> Watch[S]:
        """Start a TorchServe, and wait until it is ready."""
        server = self._launch(self._state.registrations, awaited)
        self._starting = server
        try:
            require(not self._stopping.is_set(), "server", "it was stopped")
            server.wait_until_ready(self._seconds)
            return Watch(server, self._patience)
        except BaseException:
            server.kill()
            server.stop()
            raise
        finally:
            self._starting = None

    def _switch(self, current: Watch[S]) -> None:
        self._current = current
        self._trouble = None
        self._health = Health(True)
        self._answering = current.answering()
        self._calls.switch(current.server)

    def _keep(self, current: Watch[S]) -> None:
        """Poll until the supervisor is stopped, or no TorchServe can be started."""
        polls, last = 0, time.monotonic()
        disks: list[str] = []
        try:
            while not self._stopping.wait(POLL_SECONDS):
                now = time.monotonic()
                punctual, last = now - last < PUNCTUAL_SECONDS, now
                trouble = current.poll(punctual)
                if current.lost_worker:
                    self._calls.repeat()
                self._trouble = trouble or self._trouble
                self._drain(punctual)
                if polls % POLLS_BETWEEN_DISKS == 0:
                    self._state.retry()
                    disks = full_disks((self._logs, current.server.scratch))
                polls += 1
                unready = current.unready()
                self._answering = current.answering()
                later = [self._trouble.words] if self._trouble else []
                later += [self._state.trouble] if self._state.trouble else []
                self._health = Health(not unready, (*unready, *later, *disks))
                if self._trouble and now >= self._next_attempt:
                    current, last = self._replace(current, self._trouble), time.monotonic()
        finally:
            current.end()

    def _replace(self, old: Watch[S], trouble: Trouble) -> Watch[S]:
        """The watch of another TorchServe; the same one if there is none, and it may do."""
        logger.warning("%s: it is replaced", trouble.words)
        stays = trouble.alive and self._two_fit
        if not stays:
            self._health = Health(False, (f"{trouble.words}: it is replaced",))
            self._answering = frozenset()
            self._calls.hold()
            old.end(at_once=not trouble.alive)
        for failure in range(MOST_FAILURES):
            try:
                new = self._begin(self._expected(old))
                self._require_unchanged(new)
            except (FieldError, OSError) as error:
                words = f"TorchServe cannot be replaced: {error}"
                if failure and isinstance(error, UnreadyError):  # it was no accident
                    self._leave_out(error.reasons)
            else:
                if stays:
                    self._retired.append(_Retired(old))
                self._switch(new)
                logger.warning("TorchServe was replaced")
                return new
            if self._stopping.is_set():
                return old
            logger.error(words)
            if stays and trouble.reachable:
                self._next_attempt = time.monotonic() + ATTEMPT_SECONDS
                return old
            self._stopping.wait(PAUSE_SECONDS * 2**failure)
        self._stopping.set()
        self._calls.end(words)
        return old

    def _require_unchanged(self, new: Watch[S]) -> None:
        """End a TorchServe, unless it serves what is served by now: another one may still answer.

        Raises:
            FieldError: If it does not.
        """
        if new.server.registrations != self._state.registrations:
            new.end(at_once=True)
            raise FieldError("server", "what is served was changed meanwhile")

    def _expected(self, old: Watch[S]) -> Sequence[Registration]:
        """What the next TorchServe has to get ready, without what is not in the store any more."""
        store = self._state.store
        lost = {one: why for one in self._state.registrations if (why := absence(store, one))}
        if lost:
            require(self._leave_out(lost), "store", f"no archive is left in {store}")
        staffed = [one for one in self._state.registrations if one.min_workers]
        # What never became ready is no reason to refuse the next TorchServe.
        return [one for one in staffed if one.key in old.proven] or staffed

    def _drain(self, punctual: bool) -> None:
        """End those that were replaced and have nothing to do any more."""
        for retired in list(self._retired):
            if retired.is_drained(punctual):
                self._retired.remove(retired)
                retired.watch.end()


class _Retired(Generic[S]):
    """A TorchServe that gets no more requests."""

    def __init__(self, watch: Watch[S]) -> None:
        self.watch = watch
        self._since = self._busy = time.monotonic()

    def is_drained(self, punctual: bool) -> bool:
        """Whether it has answered what it had, as far as it will."""
        trouble = self.watch.poll(punctual)
        now = time.monotonic()
        if not self.watch.idle:
            self._busy = now
        gone = trouble is not None and not trouble.alive
        return gone or now - self._busy > IDLE_SECONDS or now - self._since > DRAIN_SECONDS
