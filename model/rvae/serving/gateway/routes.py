"""Which version of a model answers a request, and which requests each version has.

A request that names no version is given one here, before it is forwarded: so the default changes at
once for all that come after, and what is counted, queued or waited for is that of one version.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from rvae.serving.gateway.messages import Answer, refusal

__all__ = ["NotServedError", "Routes", "Served"]

MOST_NAMES = 20  # in an error


@dataclass(frozen=True)
class Served:
    """What is served of a model.

    Attributes:
        default: The version for requests that name none.
        versions: All versions, the default among them.
    """

    default: str
    versions: frozenset[str]


class NotServedError(Exception):
    """There is no such model or version.

    Attributes:
        answer: What the client is told.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


class Routes:
    """The way of requests to versions; of one event loop."""

    def __init__(self) -> None:
        self._served: dict[str, Served] | None = None  # None until it is known
        # Versions that were served and are no more, and those that are about to be.
        self._gone: dict[str, set[str]] = {}
        self._closing: Counter[tuple[str, str]] = Counter()
        self._held: Counter[tuple[str, str]] = Counter()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._changed = asyncio.Event()

    @property
    def served(self) -> Mapping[str, Served]:
        """What is served, by the name of the model."""
        return self._served or {}

    def update(self, served: Mapping[str, Served]) -> None:
        """Serve this from now on; what was served before and is not in it is gone."""
        for model, before in self.served.items():
            now = served[model].versions if model in served else frozenset()
            self._gone.setdefault(model, set()).update(before.versions - now)
        for model, one in served.items():
            self._gone.get(model, set()).difference_update(one.versions)
        self._served = dict(served)
        self._wake()

    @asynccontextmanager
    async def enter(self, model: str, version: str | None) -> AsyncIterator[str]:
        """The version for a request, which counts as one of its requests meanwhile.

        Raises:
            NotServedError: If there is none.
        """
        while (resolved := self._resolve(model, version)) is None:
            await self._changed.wait()
        key = model, resolved
        self._requests[key] += 1
        try:
            yield resolved
        finally:
            self._requests[key] -= 1
            if not self._requests[key]:
                del self._requests[key]
                if key in self._held or key in self._closing:
                    self._wake()

    @contextmanager
    def hold(self, model: str, version: str) -> Iterator[None]:
        """New requests for a version wait meanwhile."""
        with self._mark(self._held, (model, version)):
            yield

    @contextmanager
    def close(self, model: str, version: str) -> Iterator[None]:
        """New requests for a version are refused meanwhile, as if it was gone already."""
        with self._mark(self._closing, (model, version)):
            yield

    def is_closed(self, model: str, version: str) -> bool:
        """Whether a version is about to be gone."""
        return (model, version) in self._closing

    async def drained(self, model: str, version: str) -> None:
        """Return when a version that is held or closed has no request any more."""
        while (model, version) in self._requests:
            await self._changed.wait()

    def _resolve(self, model: str, version: str | None) -> str | None:
        """The version for a request; None if it has to wait."""
        if self._served is None:
            return None
        found = self._served.get(model)
        if found is None:
            raise NotServedError(self._unknown(model, version))
        resolved = version or found.default
        if resolved not in found.versions or (model, resolved) in self._closing:
            raise NotServedError(self._missing(model, resolved, found))
        return None if (model, resolved) in self._held else resolved

    def _unknown(self, model: str, version: str | None) -> Answer:
        gone = self._gone.get(model, set())
        if (version in gone) if version else gone:
            return refusal(410, "model", f"{model} is no longer served")
        return refusal(404, "model", f"{model} is not served: {_names(self.served)}")

    def _missing(self, model: str, version: str, found: Served) -> Answer:
        if version in found.versions or version in self._gone.get(model, ()):
            words = "" if version == found.default else f": the default is {found.default}"
            return refusal(410, "version", f"{version} is no longer served{words}")
        return refusal(404, "version", f"{version} is not served: {_names(found.versions)}")

    @contextmanager
    def _mark(self, marked: Counter[tuple[str, str]], key: tuple[str, str]) -> Iterator[None]:
        marked[key] += 1
        self._wake()
        try:
            yield
        finally:
            marked[key] -= 1
            if not marked[key]:
                del marked[key]
            self._wake()

    def _wake(self) -> None:
        """Let everybody who waits look again."""
        self._changed.set()
        self._changed = asyncio.Event()


def _names(served: Mapping[str, Served] | frozenset[str]) -> str:
    """Words on what there is."""
    names = sorted(served)
    more = ", and others" if len(names) > MOST_NAMES else ""
    return f"there is {', '.join(names[:MOST_NAMES])}{more}" if names else "there is none"
