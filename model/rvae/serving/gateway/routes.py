"""Which version of a model answers a request, and which requests each version has.

A request that names no version is given one here, before it is forwarded: so the default changes at
once for all that come after, and what is counted, queued or waited for is that of one version.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from rvae.serving.gateway.messages import Answer, refusal

__all__ = ["CANARY", "SHADOW", "NotServedError", "Routes", "Served", "Share"]

MOST_NAMES = 20  # in an error
STARTING = "is starting, and no model is ready yet: try again"

# What a version can get of the default's requests: some of them, or copies of some.
CANARY, SHADOW = "canary", "shadow"


@dataclass(frozen=True)
class Served:
    """What is served of a model.

    Attributes:
        default: The version for requests that name none.
        versions: All versions, the default among them.
    """

    default: str
    versions: frozenset[str]


@dataclass(frozen=True)
class Share:
    """What a version gets of the default's requests.

    Attributes:
        version: The version.
        share: From 0 to 1.
    """

    version: str
    share: float


class NotServedError(Exception):
    """There is no such model or version.

    Attributes:
        answer: What the client is told.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


class Routes:
    """The way of requests to versions; of one event loop.

    Args:
        chance: Numbers from 0 to 1 at random. A share is drawn for each request: every tenth would
            always be the same client's where ten ask in turn.
    """

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._shares: dict[tuple[str, str], Share] = {}  # by kind and model
        self._served: dict[str, Served] | None = None  # None until it was first ready
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

    @property
    def are_known(self) -> bool:
        """Whether it was told what is served."""
        return self._served is not None

    def update(self, served: Mapping[str, Served]) -> None:
        """Serve this from now on; what was served before and is not in it is gone."""
        for model, before in self.served.items():
            now = served[model].versions if model in served else frozenset()
            self._gone.setdefault(model, set()).update(before.versions - now)
        for model, one in served.items():
            self._gone.get(model, set()).difference_update(one.versions)
        self._served = dict(served)
        for (kind, model), share in list(self._shares.items()):
            after = served.get(model)
            if after is None or share.version not in after.versions - {after.default}:
                del self._shares[kind, model]
        self._wake()

    def shares(self, model: str) -> dict[str, Share]:
        """What versions of a model get of the default's requests, by kind."""
        kinds = (CANARY, SHADOW)
        return {kind: self._shares[kind, model] for kind in kinds if (kind, model) in self._shares}

    def give(self, kind: str, model: str, share: Share) -> None:
        """Let a version have a share from now on, in place of what another one had.

        Args:
            kind: CANARY or SHADOW.
            model: Name of a model that is served.
            share: One of its versions other than the default; a share of 0 ends what it has.
        """
        if share.share:
            self._shares[kind, model] = share
        elif self.shares(model).get(kind, share).version == share.version:
            self._shares.pop((kind, model), None)

    def shadow(self, model: str) -> str | None:
        """The version that gets a copy of a request of the default; None if none does."""
        version = self._drawn(SHADOW, model)
        is_there = version is not None and (model, version) not in self._held
        return version if is_there else None

    def require(self, model: str, version: str | None = None) -> Served:
        """What is served of a model, if a version of it is among that, or none is named.

        Raises:
            NotServedError: If it is not.
        """
        if self._served is None:
            # Another server may be ready: whoever stands before several asks the next one.
            raise NotServedError(refusal(503, "server", STARTING, 1))
        found = self._served.get(model)
        if found is None:
            raise NotServedError(self._unknown(model, version))
        if version is not None and (
            version not in found.versions or (model, version) in self._closing
        ):
            raise NotServedError(self._missing(model, version, found))
        return found

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

    async def drained(self, model: str, version: str) -> None:
        """Return when a version that is held or closed has no request any more."""
        while (model, version) in self._requests:
            await self._changed.wait()

    def _resolve(self, model: str, version: str | None) -> str | None:
        """The version for a request; None if it has to wait."""
        found = self.require(model, version)
        if version is None:
            version = self._drawn(CANARY, model) or found.default
            self.require(model, version)
        return None if (model, version) in self._held else version

    def _drawn(self, kind: str, model: str) -> str | None:
        """The version that has a share, if this request belongs to it."""
        one = self._shares.get((kind, model))
        if one is None or (model, one.version) in self._closing or self._chance() >= one.share:
            return None
        return one.version

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
