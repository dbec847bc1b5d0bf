"""A new version in place of the old one, so that no request notices, or nothing at all."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rvae.errors import FieldError, require
from rvae.serving.model_store import Archive
from rvae.serving.versions.bounds import Bounds
from rvae.serving.versions.candidate import Candidate, ask_golden
from rvae.serving.versions.change import Change
from rvae.serving.versions.management import Management
from rvae.serving.versions.steps import Steps
from rvae.serving.versions.store_copy import StoreCopy
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
    management: Management,
    check: Callable[[], Candidate],
    options: RolloutOptions,
    steps: Steps,
) -> None:
    """Make an archive the default version of its model.

    If a step fails or is interrupted, what was done is undone: the old default is the default, and
    the new version is not served. From when the old version is retired, nothing is undone.

    Args:
        management: Of the server.
        check: Finds out whether the archive is sound.
        options: How it is done.
        steps: Runs the steps.

    Raises:
        FieldError: If it failed.
    """
    server = management.server()
    with steps.undone_on_failure():
        candidate = steps.find("verify", check)
        change = Change(management, server, candidate.archive, steps)
        golden = partial(ask_golden, management, candidate.archive, candidate.golden)
        copy = StoreCopy(candidate.archive, server.store)
        if not change.is_registered:
            steps.undo_by(partial(_remove, copy, management, candidate.archive))
            steps.run("copy", copy.make)
        change.register(copy.file, options.workers, options.timeout)
        steps.run("golden", golden)
        if change.old is not None and not change.is_default:
            if options.replay is not None:
                trial = Trial(management, candidate, change.old, options.bounds)
                steps.run("replay", partial(trial.replay, options.replay, options.requests))
            for kind, share in (("shadow", options.shadow), ("canary", options.canary)):
                if share:
                    change.expose(kind, share, options.seconds, options.bounds)
        change.make_default_and_watch(options.watch, options.bounds, golden)
    if not options.keep:
        change.retire()


def _remove(copy: StoreCopy, management: Management, archive: Archive) -> str:
    """Remove the copy, unless the version could not be unregistered, and so needs its archive."""
    with suppress(FieldError):  # who does not answer serves nothing
        if archive.version in management.registrations(archive.name):
            return ""
    return copy.remove()
