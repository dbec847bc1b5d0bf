"""What a server serves, and what it takes to serve the same again."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from rvae.serving.model_store import newest_first
from rvae.serving.torchserve.registrations import Registration
from rvae.serving.torchserve.snapshots import from_snapshot, snapshot
from rvae.serving.version_order import version_key

__all__ = ["State", "defaults", "with_defaults"]

MOST_EARLIER = 20  # defaults of a model that are remembered


@dataclass(frozen=True)
class State:
    """What a server serves.

    Attributes:
        registrations: The versions that are registered, by name and with the newest first; without
            the processes of their workers.
        left_out: Versions that would be, if they could be served. One that is the default by what
            its registration says is again the default when it can.
        known: Versions of all archives that were in the store at the start, or registered since,
            by their file. What is neither registered nor left out of them was unregistered.
        earlier: The defaults before the present one, the latest last, by the name of the model. Who
            goes back to the latest forgets the one in between, which failed.
        workers: Processes per version that were asked for at a start, if any were.
    """

    registrations: tuple[Registration, ...] = ()
    left_out: tuple[Registration, ...] = ()
    known: Mapping[str, str] = field(default_factory=dict)
    earlier: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    workers: int | None = None

    @property
    def previous(self) -> dict[str, str]:
        """The default before the present one, by the name of the model."""
        return {name: versions[-1] for name, versions in self.earlier.items() if versions}

    @property
    def unregistered(self) -> dict[str, str]:
        """Versions of archives that are not to be served again by themselves, by their file."""
        kept = {one.file for one in (*self.registrations, *self.left_out)}
        return {file: version for file, version in self.known.items() if file not in kept}

    def updated(self, registrations: Iterable[Registration]) -> Self:
        """The state after a change of what is registered."""
        now = tuple(newest_first(replace(one, ready=frozenset()) for one in registrations))
        if now == self.registrations:
            return self
        before, after = defaults(self.registrations), defaults(now)
        changed = {
            name: _earlier(self.earlier.get(name, ()), before[name], version)
            for name, version in after.items()
            if before.get(name, version) != version
        }
        keys = {one.key for one in now}
        return replace(
            self,
            registrations=now,
            # Who chooses a default does not want back the one that it stands in for.
            left_out=tuple(
                replace(one, default=one.default and one.name not in changed)
                for one in self.left_out
                if one.key not in keys
            ),
            known={**self.known, **{one.file: one.version for one in now}},
            earlier={**self.earlier, **changed},
        )

    def without(self, keys: Collection[tuple[str, str]]) -> Self:
        """The state in which some registered versions, which cannot be served, are left out.

        The newest of the others that have workers stands in for a default.
        """
        lost = tuple(one for one in self.registrations if one.key in keys)
        kept = with_defaults([one for one in self.registrations if one.key not in keys])
        return replace(self, registrations=kept, left_out=(*self.left_out, *lost))

    def own(self) -> dict[str, Any]:
        """What TorchServe's snapshot of the registrations does not tell, for JSON."""
        return {
            "left_out": snapshot(self.left_out),
            "known": dict(self.known),
            "earlier": {name: list(versions) for name, versions in self.earlier.items()},
            "workers": self.workers,
        }

    @classmethod
    def read(cls, served: Mapping[str, Any], own: Mapping[str, Any]) -> Self:
        """The state of which a snapshot and `own` tell.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: If they do not.
        """
        workers = own["workers"]
        return cls(
            from_snapshot(served),
            from_snapshot(own["left_out"]),
            _versions(own["known"]),
            {str(name): tuple(map(str, versions)) for name, versions in own["earlier"].items()},
            None if workers is None else int(workers),
        )


def defaults(registrations: Iterable[Registration]) -> dict[str, str]:
    """The default version of every model, by name."""
    return {one.name: one.version for one in registrations if one.default}


def with_defaults(registrations: Collection[Registration]) -> tuple[Registration, ...]:
    """Registrations of which each model has a default: the newest with workers, if it had none."""
    chosen = defaults(registrations)
    for one in sorted(
        registrations, key=lambda one: (one.min_workers > 0, version_key(one.version)), reverse=True
    ):
        chosen.setdefault(one.name, one.version)
    return tuple(replace(one, default=chosen[one.name] == one.version) for one in registrations)


def _earlier(earlier: tuple[str, ...], before: str, now: str) -> tuple[str, ...]:
    """The defaults before the present one, after a change from one to another."""
    if earlier[-1:] == (now,):
        return earlier[:-1]
    return (*earlier, before)[-MOST_EARLIER:]


def _versions(content: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(version) for name, version in content.items()}
