"""What is done to a version on one server until it is the default of its model."""

import time
from collections.abc import Collection, Mapping
from pathlib import Path

from rvae.errors import FieldError, require
from rvae.serving.model_store import Versioned
from rvae.serving.versions.management import RefusedError, SilentError
from rvae.serving.versions.servers import Server
from rvae.serving.versions.steps import whole

__all__ = ["ServerChange"]

POLL_SECONDS = 0.2


class ServerChange:
    """What is done to a version on one server; every method says in words what it did.

    Args:
        server: The server, as it was at the beginning.
        version: What becomes the default.

    Attributes:
        server: As given.
        default: The default at the beginning; None if the model was not served.
        previous: The default before that, if it is still served.
        is_registered: Whether the version was registered at the beginning.
    """

    def __init__(self, server: Server, version: Versioned) -> None:
        self.server = server
        self._management = server.management
        self._name, self._version = version.name, version.version
        state = server.state.models.get(self._name)
        self.default = None if state is None else state.default
        self.previous = None
        if state is not None and state.previous in state.versions:
            self.previous = state.previous
        self._registered = self._management.registrations(self._name)
        self.is_registered = self._version in self._registered
        # Where the server's log of workers begins to tell of those that it will be asked for.
        self._since: int | None = None
        if not self.is_registered or self.has_no_workers:
            self._since = self._management.log_position(self._name, self._version)

    @property
    def is_default(self) -> bool:
        """Whether the version was the default already, by a change that was cut off."""
        return self.default == self._version

    @property
    def switches(self) -> bool:
        """Whether another version is the default before."""
        return self.default is not None and not self.is_default

    @property
    def has_no_workers(self) -> bool:
        """Whether it was registered, but could answer nothing."""
        return self.is_registered and not self._registered[self._version].min_workers

    def register(self, files: Mapping[Path, str], workers: int | None) -> str:
        """Let the server load it, unless it has; as many workers as the old one if None.

        Args:
            files: Its archive in each store.
            workers: How many.
        """
        old = self._registered.get((self.previous if self.is_default else self.default) or "")
        count = workers or (max(1, old.min_workers) if old else 1)
        if self.has_no_workers:
            with whole():
                self._management.scale(self._name, self._version, count)
            return f"{self._version} is registered already, and gets {_count(count, 'worker')}"
        if self.is_registered:
            return f"{self._version} is registered already"
        store = self.server.state.store
        require(store in files, "store", f"is {store}, which the others do not have")
        with whole():
            self._management.register(files[store], count)
        return f"{files[store]} with {_count(count, 'worker')}"

    def unregister(self) -> str:
        """Undo `register`: of what was there before nothing but the workers."""
        if self.has_no_workers:
            self._management.scale(self._name, self._version, 0)
            return f"{self._version} has no worker again"
        if self.is_registered:
            # By somebody, or a change that was cut off: it is not for this one to undo.
            return ""
        try:
            self._management.unregister(self._name, self._version)
        except RefusedError as refused:
            if refused.status in (404, 410):  # it did not come to that
                return ""
            raise
        return f"{self._version} is not served"

    def has_it(self) -> bool:
        """Whether the server has the version now, or may have it, as it hangs."""
        try:
            state = self._management.model(self._name)
        except SilentError:
            return True
        except FieldError:  # nobody is there, and who comes reads what the others serve
            return False
        return state is not None and self._version in state.versions

    def await_workers(self, begin: float, seconds: float) -> str:
        """Wait until it has loaded.

        Args:
            begin: When the time began, of the clock that never goes back.
            seconds: Longest time.
        """
        while True:
            one = self._management.registrations(self._name).get(self._version)
            # After that: the reason comes before the server takes the version away.
            reason = self._failure()
            require(reason is None, "ready", f"it does not load: {reason}")
            if one is None:
                raise FieldError("ready", "the server does not have it any more: see its logs")
            if 0 < one.min_workers <= len(one.ready):
                return f"{_count(len(one.ready), 'worker')} loaded it"
            message = f"{len(one.ready)} of {one.min_workers} workers in {seconds:g} s"
            require(time.monotonic() < begin + seconds, "ready", message)
            time.sleep(POLL_SECONDS)

    def share(self, kind: str, part: float) -> None:
        """Give it a share of the default's requests; see `Management.share`."""
        with whole():
            self._management.share(kind, self._name, self._version, part)

    def end_share(self, kind: str) -> str:
        """Undo `share`."""
        self._management.share(kind, self._name, self._version, 0)
        return f"{self._version} gets no {kind} share"

    def switch(self) -> str:
        """Answer requests that name no version by it."""
        with whole():
            self._management.make_default(self._name, self._version)
        return f"{self._version} in place of {self.default}"

    def switch_back(self) -> str:
        """Undo `switch`."""
        assert self.default is not None  # or there was nothing to switch
        self._management.make_default(self._name, self.default)
        return f"{self.default} is the default"

    def serves(self, versions: Collection[str]) -> bool:
        """Whether any of these versions was registered at the beginning."""
        return not self._registered.keys().isdisjoint(versions)

    def retire(self, versions: Collection[str]) -> str:
        """Let those of these versions that it has answer what they have, and end them."""
        said = []
        for version in filter(versions.__contains__, self._registered):
            self._management.unregister(self._name, version)
            said.append(f"{version} answered what it had, and is not served any more")
        return "; ".join(said)

    def _failure(self) -> str | None:
        """Why workers that it was asked for have ended; None if they have not."""
        if self._since is None:  # of one that was served before a worker may have been replaced
            return None
        return self._management.failure(self._name, self._version, self._since)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
