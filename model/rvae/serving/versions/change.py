"""What is done to a version until it is the default of its model, step by step, on every server."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from rvae.errors import FieldError, require
from rvae.serving.golden import Golden
from rvae.serving.model_store import Archive
from rvae.serving.versions.bounds import Bounds
from rvae.serving.versions.candidate import ask_golden
from rvae.serving.versions.management import RefusedError, SilentError
from rvae.serving.versions.observation import Observation
from rvae.serving.versions.server_change import ServerChange
from rvae.serving.versions.servers import Server, Servers, apart, together
from rvae.serving.versions.steps import Steps

__all__ = ["Change"]

T = TypeVar("T")


class Change:
    """The steps by which a version becomes the default one, each of them on every server.

    Each undoes itself when the context of the steps is left by an exception; `retire` cannot.

    Args:
        servers: The servers, as they were at the beginning.
        archive: Holds the version.
        steps: Runs the steps.
        replaced: More versions to retire than the defaults of these servers.

    Attributes:
        on: The change of each server.
        switching: Those of them that have another default.
        replaced: Versions that it takes the place of; empty if the model was not served.
    """

    def __init__(
        self,
        servers: Sequence[Server],
        archive: Archive,
        steps: Steps,
        replaced: Collection[str] = (),
    ) -> None:
        self._name, self._version = archive.name, archive.version
        self._archive = archive
        self._steps = steps
        self._unreached: dict[str, str] = {}  # what was said of those that do not answer: names
        self._silent: dict[str, SilentError] = {}  # by the names of those that hang
        self.on = [ServerChange(server, archive) for server in servers]
        self.switching = [one for one in self.on if one.switches]
        defaults = [one.default for one in self.switching]
        # Of a change that was cut off after the switch.
        before = defaults or [one.previous for one in self.on if one.is_default]
        self.replaced = tuple(dict.fromkeys([*replaced, *filter(None, before)]))

    def register(self, files: Mapping[Path, str], workers: int | None, seconds: float) -> None:
        """Let the servers load it, and wait until they have.

        Args:
            files: Its archive in each store.
            workers: How many processes of it each has; as many as the old one if None.
            seconds: Longest time.
        """
        self._run(
            "register",
            lambda one: one.register(files, workers),
            ServerChange.unregister,
        )
        begin = time.monotonic()
        self._run("ready", lambda one: one.await_workers(begin, seconds))

    def ask_golden(self, golden: Golden) -> None:
        """Let the servers answer its golden request."""
        self._run("golden", partial(self._golden, golden))

    def expose(self, kind: str, share: float, seconds: float, bounds: Bounds) -> None:
        """Give it a share of the default's requests for some time; see `Management.share`."""

        def observed() -> str:
            observation = self._observation()
            for one in self.switching:
                self._undo_by(one, lambda one: one.end_share(kind))
                self._at(one, lambda one: one.share(kind, share))
            said = observation.last(seconds, bounds)
            for one in self.switching:
                self._at(one, lambda one: one.share(kind, 0))
            return f"{share:.0%} for {seconds:g} s: {said}"

        self._steps.run(kind, observed)

    def make_default(self) -> None:
        """Answer requests that name no version by it, on one server after another."""
        if self.switching:
            self._run("default", ServerChange.switch, ServerChange.switch_back, self.switching)

    def make_default_and_watch(self, seconds: float, bounds: Bounds, golden: Golden) -> None:
        """Do so, and see for some time how clients fare with it."""
        observation = self._observation()
        self.make_default()

        def watched() -> str:
            said = observation.last(seconds, bounds)
            for one in self.on:  # also where no client came
                self._at(one, partial(self._golden, golden))
            return f"{seconds:g} s: {said}"

        self._steps.run("watch", watched)

    def retire(self) -> None:
        """Let the old versions answer what they have, and end them."""
        ending = [one for one in self.on if one.serves(self.replaced)]
        if not ending:
            return
        try:
            self._steps.run("retire", partial(self._retire, ending))
        except (FieldError, KeyboardInterrupt) as error:
            raise FieldError(
                "retire",
                f"{self._version} is the default of {self._name}; {' and '.join(self.replaced)} "
                f"may be served beside it: {error or 'interrupted'}",
            ) from None

    def undo_late(self, servers: Servers) -> str:
        """Undo it on servers that read of it at their start, before it was undone on these."""
        known = {one.server.name for one in self.on} - set(self._unreached.values())
        try:
            late = [one for one in servers.asked()[0] if one.name not in known]
        except FieldError:  # nobody answers
            return ""
        return "; ".join(filter(None, map(self._undo_on, late)))

    def is_done(self, server: Server, keep: bool) -> bool:
        """Whether a server serves what these servers do at the end."""
        state = server.state.models.get(self._name)
        if state is None or state.default != self._version:
            return False
        return keep or not set(self.replaced) & set(state.versions)

    def _retire(self, ending: Sequence[ServerChange]) -> str:
        said, failed = {}, []
        for one in ending:
            try:
                said[one.server.name] = self._at(one, lambda one: one.retire(self.replaced))
            except FieldError as error:  # the others can all the same
                failed.append(error.message)
        require(not failed, "server", "; ".join(failed))
        return self._words(said)

    def _undo_on(self, late: Server) -> str:
        state, said = late.state.models.get(self._name), []
        if state is None or self._version not in state.versions:
            return ""
        old = next(filter(state.versions.__contains__, self.replaced), None)
        try:
            if state.default == self._version and old is not None:
                late.management.make_default(self._name, old)
                said.append(f"{old} is the default")
            if not any(one.is_registered for one in self.on):
                late.management.unregister(self._name, self._version)
                said.append(f"{self._version} is not served")
        except FieldError as error:  # the others can all the same
            said.append(f"not undone: {error.message}")
        return f"{late.name}: {', and '.join(said)}" if said else ""

    def _golden(self, golden: Golden, one: ServerChange) -> str:
        return ask_golden(one.server.management, self._archive, golden)

    def _observation(self) -> Observation:
        managements = [one.server.management for one in self.on]
        return Observation(managements, self._name, (self._version, *self.replaced))

    def _run(
        self,
        name: str,
        action: Callable[[ServerChange], str],
        undo: Callable[[ServerChange], str] | None = None,
        on: Sequence[ServerChange] | None = None,
    ) -> None:
        """Run a step on one server after another."""

        def step() -> str:
            said = {}
            for one in self.on if on is None else on:
                if undo is not None:
                    self._undo_by(one, undo)
                said[one.server.name] = self._at(one, action)
            return self._words(said)

        self._steps.run(name, step)

    def _words(self, said: Mapping[str, str]) -> str:
        """What servers said; with names, if others had nothing to say."""
        return together(said) if len(said) == len(self.on) else apart(said)

    def _undo_by(self, one: ServerChange, undo: Callable[[ServerChange], str]) -> None:
        def undone() -> str:
            try:
                said = self._at(one, undo)
            except RefusedError:
                raise
            except FieldError as error:  # it may answer the next time
                if error.message in self._unreached:
                    return ""
                self._unreached[error.message] = one.server.name
                raise
            return self._of(one, said) if said else ""

        self._steps.undo_by(undone)

    def _at(self, one: ServerChange, action: Callable[[ServerChange], T]) -> T:
        """Act on a server, which is named if it fails.

        One that hangs is not waited for as long as a change may take, and not again: the others
        wait for their turn, also to be as before.
        """
        name = one.server.name
        if name in self._silent:
            raise self._silent[name]
        try:
            one.server.management.server()
            return action(one)
        except SilentError as error:
            self._silent[name] = SilentError(error.field, self._of(one, error.message))
            raise self._silent[name] from None
        except RefusedError as error:
            raise RefusedError(error.status, self._of(one, error.message)) from None
        except FieldError as error:
            raise FieldError(error.field, self._of(one, error.message)) from None

    def _of(self, one: ServerChange, words: str) -> str:
        """What is said of a server, with its name if there are others."""
        return words if len(self.on) == 1 else f"{one.server.name}: {words}"
