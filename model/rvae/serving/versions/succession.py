"""A version takes the place of others, on all servers, and on those that appear meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rvae.errors import FieldError
from rvae.serving.golden import Golden
from rvae.serving.model_store import Archive
from rvae.serving.versions.change import Change
from rvae.serving.versions.servers import Server, Servers, apart, defaults_of
from rvae.serving.versions.steps import Steps

__all__ = ["Succession", "begin_change"]


@dataclass(frozen=True)
class Succession:
    """What takes the place of other versions, and how.

    Attributes:
        archive: Holds the version.
        files: Its name in each store.
        golden: A request, and what it has to answer; None if that is not known.
        workers: Its processes; as many as the old default has if None.
        timeout: Seconds in which they must be ready.
        keep: Whether the old default remains registered.
    """

    archive: Archive
    files: Mapping[Path, str]
    golden: Golden | None
    workers: int | None
    timeout: float
    keep: bool

    def prepare(self, change: Change) -> None:
        """Let the version load on every server, and answer."""
        change.register(self.files, self.workers, self.timeout)
        if self.golden is not None:
            change.ask_golden(self.golden)

    def complete(self, servers: Servers, change: Change, steps: Steps) -> None:
        """Retire the old versions, and look whether every server serves the new one.

        A server that started meanwhile has read what the others served at that time.

        Raises:
            FieldError: If one does not, and cannot be brought along.
        """
        if not self.keep:
            change.retire()
        try:
            while late := [one for one in servers.found() if not change.is_done(one, self.keep)]:
                self._bring_along(late, change.replaced, steps)
        except FieldError as error:
            version, name = self.archive.version, self.archive.name
            message = f"{version} is the default of {name}, but maybe not on every server: {error}"
            raise FieldError("late", message) from None

    def _bring_along(self, late: Sequence[Server], replaced: Sequence[str], steps: Steps) -> None:
        steps.run("late", lambda: apart(defaults_of(late, self.archive.name)))
        with steps.undone_on_failure():
            change = Change(late, self.archive, steps, replaced)
            self.prepare(change)
            change.make_default()
        if not self.keep:
            change.retire()


def begin_change(
    servers: Servers, found: Sequence[Server], archive: Archive, steps: Steps
) -> Change:
    """The change of servers to a version.

    When it is undone, so it is on servers that started meanwhile, and it is said what is served.
    """
    name = archive.name
    if len(found) > 1:
        steps.run("servers", lambda: apart(defaults_of(found, name)))
    steps.undo_by(partial(servers.serving, name))
    change = Change(found, archive, steps)
    steps.undo_by(partial(change.undo_late, servers))
    return change
