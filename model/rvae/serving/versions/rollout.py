"""A new version in place of the old one, so that no request notices, or nothing at all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rvae.errors import require
from rvae.serving.model_store import Archive
from rvae.serving.versions.bounds import Bounds
from rvae.serving.versions.candidate import Candidate
from rvae.serving.versions.change import Change
from rvae.serving.versions.server_change import ServerChange
from rvae.serving.versions.servers import Servers
from rvae.serving.versions.steps import Steps
from rvae.serving.versions.store_copy import StoreCopy
from rvae.serving.versions.succession import Succession, begin_change
from rvae.serving.versions.trial import Trial

__all__ = ["RolloutOptions", "rollout"]


@dataclass(frozen=True)
class RolloutOptions:
    """How a version is rolled out.

    Attributes:
        workers: Its processes; as many as the old default has if None.
        timeout: Seconds in which they must be ready.
        replay: Recorded traffic, or a file of data, that both versions answer; none if None.
        requests: How many of it, at the most.
        shadow: Share of the default's requests that the version gets copies of.
        canary: Share of them that it answers.
        seconds: How long each of these lasts.
        watch: Seconds in which the version is watched as the default, before the old one is
            retired.
        keep: Whether the old default remains registered.
        bounds: How far it may be from the old version.
    """

    workers: int | None = None
    timeout: float = 120.0
    replay: Path | None = None
    requests: int = 200
    shadow: float = 0.0
    canary: float = 0.0
    seconds: float = 30.0
    watch: float = 5.0
    keep: bool = False
    bounds: Bounds = field(default_factory=Bounds)

    def __post_init__(self) -> None:
        for name in ("shadow", "canary"):
            value = getattr(self, name)
            require(0 <= value <= 1, name, f"must be from 0 to 1, got {value}")
        for name in ("timeout", "seconds", "watch"):
            value = getattr(self, name)
            require(value >= 0, name, f"must not be negative, got {value}")
        for name in ("workers", "requests"):
            value = getattr(self, name)
            require(value is None or value >= 1, name, f"must be at least 1, got {value}")
        source = self.replay
        require(source is None or source.exists(), "replay", f"no such file: {source}")


def rollout(
    servers: Servers,
    check: Callable[[], Candidate],
    options: RolloutOptions,
    steps: Steps,
) -> None:
    """Make an archive the default version of its model, on every server.

    If a step fails or is interrupted, what was done is undone: the old default is the default, and
    the new version is not served. From when the old version is retired, nothing is undone.

    Args:
        servers: The servers.
        check: Finds out whether the archive is sound.
        options: How it is done.
        steps: Runs the steps.

    Raises:
        FieldError: If it failed.
    """
    found = servers.found()
    with steps.undone_on_failure():
        candidate = steps.find("verify", check)
        archive, golden, bounds = candidate.archive, candidate.golden, options.bounds
        change = begin_change(servers, found, archive, steps)
        files = _copied(change, archive, steps)
        succession = Succession(
            archive, files, golden, options.workers, options.timeout, options.keep
        )
        succession.prepare(change)
        if change.switching:
            if options.replay is not None:
                one = change.switching[0].server.management
                trial = Trial(one, candidate, change.replaced[0], bounds)
                steps.run("replay", partial(trial.replay, options.replay, options.requests))
            for kind, share in (("shadow", options.shadow), ("canary", options.canary)):
                if share:
                    change.expose(kind, share, options.seconds, bounds)
        change.make_default_and_watch(options.watch, bounds, golden)
    succession.complete(servers, change, steps)


def _copied(change: Change, archive: Archive, steps: Steps) -> dict[Path, str]:
    """Put the archive into every store whose server does not have it; its name in each."""
    on: dict[Path, list[ServerChange]] = {}
    for one in change.on:
        on.setdefault(one.server.state.store, []).append(one)
    copies = {store: StoreCopy(archive, store) for store in on}
    needed = [store for store in on if not all(one.is_registered for one in on[store])]

    def copy() -> str:
        said = []
        for store in needed:
            steps.undo_by(partial(_remove, copies[store], on[store]))
            said.append(copies[store].make())
        return "; ".join(said)

    if needed:
        steps.run("copy", copy)
    return {store: copy.file for store, copy in copies.items()}


def _remove(copy: StoreCopy, on: Sequence[ServerChange]) -> str:
    """Remove the copy, unless the version could not be unregistered, and so needs its archive."""
    return "" if any(one.has_it() for one in on) else copy.remove()
