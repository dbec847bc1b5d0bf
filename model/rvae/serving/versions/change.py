"""What is done to a version until it is the default of its model, step by step."""

import time
from collections.abc import Callable
from functools import partial

from rvae.errors import FieldError, require
from rvae.serving.model_store import Archive
from rvae.serving.torchserve.worker_log import WorkerLog
from rvae.serving.versions.bounds import Bounds
from rvae.serving.versions.management import Management, RefusedError
from rvae.serving.versions.observation import Observation
from rvae.serving.versions.served import ServerState
from rvae.serving.versions.steps import Steps, whole

__all__ = ["Change"]

POLL_SECONDS = 0.2


class Change:
    """The steps by which a version becomes the default one.

    Each undoes itself when the context of the steps is left by an exception; `retire` cannot.

    Args:
        management: Of the server.
        server: Its state at the beginning.
        archive: Holds the version.
        steps: Runs the steps.

    Attributes:
        old: Version that is replaced; None if the model was not served.
        is_default: Whether the version was the default already, by a change that was cut off.
    """

    def __init__(
        self, management: Management, server: ServerState, archive: Archive, steps: Steps
    ) -> None:
        self._management = management
        self._name, self._version = archive.name, archive.version
        self._steps = steps
        self._log = WorkerLog(server.logs)
        state = server.models.get(self._name)
        self.is_default = state is not None and state.default == self._version
        self.old = None
        if state is not None:
            old = state.previous if self.is_default else state.default
            self.old = old if old in state.versions else None
        self._registered = management.registrations(self._name)
        steps.undo_by(self._served_now)

    @property
    def is_registered(self) -> bool:
        """Whether the version was registered at the beginning."""
        return self._version in self._registered

    def register(self, file: str, workers: int | None, seconds: float) -> None:
        """Let the server load it, and wait until it has; as many workers as the old one if None."""
        if self.is_registered:
            # By somebody, or a change that was cut off: it is not for this one to undo.
            self._steps.run("register", lambda: f"{self._version} is registered already")
        else:
            old = self._registered.get(self.old or "")
            count = workers or (max(1, old.min_workers) if old else 1)
            self._steps.undo_by(self._unregister)
            self._steps.run("register", partial(self._register, file, count))
        self._steps.run("ready", partial(self._await_workers, seconds))

    def expose(self, kind: str, share: float, seconds: float, bounds: Bounds) -> None:
        """Give it a share of the default's requests for some time; see `Management.share`."""

        def give(part: float) -> None:
            with whole():
                self._management.share(kind, self._name, self._version, part)

        def end() -> str:
            give(0)
            return f"{self._version} gets no {kind} share"

        def observed() -> str:
            observation = self._observation()
            give(share)
            said = observation.last(seconds, bounds)
            give(0)
            return f"{share:.0%} for {seconds:g} s: {said}"

        self._steps.undo_by(end)
        self._steps.run(kind, observed)

    def make_default(self) -> None:
        """Answer requests that name no version by it."""
        if self.old is None or self.is_default:
            return
        self._steps.undo_by(self._switch_back)
        self._steps.run("default", self._switch)

    def make_default_and_watch(
        self, seconds: float, bounds: Bounds, golden: Callable[[], str]
    ) -> None:
        """Do so, and see for some time how clients fare with it."""
        observation = self._observation()
        self.make_default()

        def watched() -> str:
            said = observation.last(seconds, bounds)
            golden()  # also where no client came
            return f"{seconds:g} s: {said}"

        self._steps.run("watch", watched)

    def retire(self) -> None:
        """Let the old version answer what it has, and end it."""
        old = self.old
        if old is None:
            return
        try:
            self._steps.run("retire", partial(self._retire, old))
        except (FieldError, KeyboardInterrupt) as error:
            raise FieldError(
                "retire",
                f"{self._version} is the default of {self._name}; {old} may be served beside it: "
                f"{error or 'interrupted'}",
            ) from None

    def _served_now(self) -> str:
        """The last word of what was undone."""
        state = self._management.model(self._name)
        return f"{self._name} is {'not served' if state is None else f'served by {state.default}'}"

    def _register(self, file: str, workers: int) -> str:
        with whole():
            self._management.register(file, workers)
        return f"{file} with {_count(workers, 'worker')}"

    def _unregister(self) -> str:
        try:
            self._management.unregister(self._name, self._version)
        except RefusedError as refused:
            if refused.status in (404, 410):  # it did not come to that
                return ""
            raise
        return f"{self._version} is not served"

    def _await_workers(self, seconds: float) -> str:
        deadline = time.monotonic() + seconds
        while True:
            one = self._management.registrations(self._name).get(self._version)
            reason = self._log.failure(f"{self._name}_{self._version}")
            # Of one that was served before a worker may have been replaced.
            require(self.is_registered or reason is None, "ready", f"it does not load: {reason}")
            if one is None:
                raise FieldError("ready", "the server does not have it any more: see its logs")
            if 0 < one.min_workers <= len(one.ready):
                return f"{_count(len(one.ready), 'worker')} loaded it"
            message = f"{len(one.ready)} of {one.min_workers} workers in {seconds:g} s"
            require(time.monotonic() < deadline, "ready", message)
            time.sleep(POLL_SECONDS)

    def _observation(self) -> Observation:
        return Observation(self._management, self._name, self._version, self.old)

    def _switch(self) -> str:
        with whole():
            self._management.make_default(self._name, self._version)
        return f"{self._version} in place of {self.old}"

    def _switch_back(self) -> str:
        assert self.old is not None  # or there was nothing to switch
        self._management.make_default(self._name, self.old)
        return f"{self.old} is the default"

    def _retire(self, old: str) -> str:
        self._management.unregister(self._name, old)
        return f"{old} answered what it had, and is not served any more"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
