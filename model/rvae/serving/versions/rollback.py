"""A version that was the default before, again in place of the present one."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rvae.errors import FieldError, require
from rvae.serving.golden import Golden
from rvae.serving.model_store import Archive, read_archive
from rvae.serving.versions.candidate import ask_golden
from rvae.serving.versions.change import Change
from rvae.serving.versions.management import Management
from rvae.serving.versions.served import ServerState
from rvae.serving.versions.steps import Steps

__all__ = ["RollbackOptions", "rollback"]


@dataclass(frozen=True)
class RollbackOptions:
    """How a version comes back.

    Attributes:
        version: Which one; the default before the present one if None.
        workers: Its processes, if it has to be registered; as many as the present default has if
            None.
        timeout: Seconds in which they must be ready.
        keep: Whether the present default remains registered.
    """

    version: str | None = None
    workers: int | None = None
    timeout: float = 120.0
    keep: bool = False


@dataclass(frozen=True)
class _Found:
    archive: Archive
    golden: Golden | None

    @property
    def words(self) -> str:
        return f"{self.archive.name} {self.archive.version} in {self.archive.path}"


def rollback(management: Management, name: str, options: RollbackOptions, steps: Steps) -> None:
    """Make an earlier version the default of its model, from the store if it was retired.

    If a step fails or is interrupted, what was done is undone.

    Args:
        management: Of the server.
        name: Of the model.
        options: How it is done.
        steps: Runs the steps.

    Raises:
        FieldError: If there is no such version, or it failed.
    """
    server = management.server()
    version = _earlier(server, name, options.version)
    with steps.undone_on_failure():
        found = steps.find("find", partial(_find, server.store, name, version))
        change = Change(management, server, found.archive, steps)
        change.register(found.archive.path.name, options.workers, options.timeout)
        if found.golden is not None:
            asked = partial(ask_golden, management, found.archive, found.golden)
            steps.run("golden", asked)
        change.make_default()
    if not options.keep:
        change.retire()


def _earlier(server: ServerState, name: str, version: str | None) -> str:
    """The version to come back to."""
    if name not in server.models:
        served = ", ".join(server.models) or "nothing is"
        raise FieldError("name", f"{name} is not served: {served}")
    model = server.models[name]
    wanted = version or model.previous
    if wanted is None:
        raise FieldError(
            "version", f"no default of {name} before {model.default} is known: name one"
        )
    require(wanted != model.default, "version", f"{wanted} is the default of {name} already")
    return wanted


def _find(store: Path, name: str, version: str) -> _Found:
    """The archive of a version in a store."""
    for path in sorted(store.glob("*.mar")):
        try:
            archive = read_archive(path)
        except FieldError:
            continue  # another one is damaged
        if (archive.name, archive.version) == (name, version):
            return _Found(archive, Golden.read(path))
    raise FieldError("version", f"no archive in {store} holds {name} {version}")
