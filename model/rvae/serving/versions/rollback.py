"""A version that was the default before, again in place of the present one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rvae.errors import FieldError, require
from rvae.serving.golden import Golden
from rvae.serving.model_store import Archive, read_archive
from rvae.serving.versions.served import ModelState
from rvae.serving.versions.servers import Server, Servers, together
from rvae.serving.versions.steps import Steps
from rvae.serving.versions.succession import Succession, begin_change

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
    files: Mapping[Path, str]
    golden: Golden | None

    @property
    def words(self) -> str:
        paths = ", ".join(str(store / file) for store, file in self.files.items())
        return f"{self.archive.name} {self.archive.version} in {paths}"


def rollback(servers: Servers, name: str, options: RollbackOptions, steps: Steps) -> None:
    """Make an earlier version the default of its model, from the store if it was retired.

    If a step fails or is interrupted, what was done is undone.

    Args:
        servers: The servers.
        name: Of the model.
        options: How it is done.
        steps: Runs the steps.

    Raises:
        FieldError: If there is no such version, or it failed.
    """
    on = servers.found()
    version = _earlier(on, name, options.version)
    with steps.undone_on_failure():
        stores = dict.fromkeys(one.state.store for one in on)
        found = steps.find("find", partial(_find, list(stores), name, version))
        succession = Succession(
            found.archive,
            found.files,
            found.golden,
            options.workers,
            options.timeout,
            options.keep,
        )
        change = begin_change(servers, on, found.archive, steps)
        succession.prepare(change)
        change.make_default()
    succession.complete(servers, change, steps)


def _earlier(servers: Sequence[Server], name: str, version: str | None) -> str:
    """The version to come back to."""
    models = {one.name: one.state.models[name] for one in servers if name in one.state.models}
    if not models:
        others = {other for one in servers for other in one.state.models}
        raise FieldError(
            "name", f"{name} is not served: {', '.join(sorted(others)) or 'nothing is'}"
        )
    wanted = version or _previous(name, models)
    is_there = all(model.default == wanted for model in models.values())
    require(not is_there, "version", f"{wanted} is the default of {name} already")
    return wanted


def _previous(name: str, models: Mapping[str, ModelState]) -> str:
    """The default before the present one, on every server."""
    said = {
        server: f"no default of {name} before {model.default} is known"
        if model.previous is None
        else f"{model.previous} was the default before {model.default}"
        for server, model in models.items()
    }
    (wanted, *others) = {model.previous for model in models.values()}
    if wanted is None or others:
        raise FieldError("version", f"{together(said)}: name one")
    return wanted


def _find(stores: Sequence[Path], name: str, version: str) -> _Found:
    """The archive of a version in each store."""
    archives = [_archive(store, name, version) for store in stores]
    files = {store: one.path.name for store, one in zip(stores, archives, strict=True)}
    return _Found(archives[0], files, Golden.read(archives[0].path))


def _archive(store: Path, name: str, version: str) -> Archive:
    """The archive of a version in a store."""
    for path in sorted(store.glob("*.mar")):
        try:
            archive = read_archive(path)
        except FieldError:
            continue  # another one is damaged
        if (archive.name, archive.version) == (name, version):
            return archive
    raise FieldError("version", f"no archive in {store} holds {name} {version}")
