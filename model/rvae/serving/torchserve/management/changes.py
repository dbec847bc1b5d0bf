"""Defaults, workers and versions that are taken away, without harm to requests.

TorchServe ends a worker with what it has: requests of a version that is unregistered are answered
500 or never, those of a worker that is one too many likewise. So nothing is taken away before it
is idle.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

from rvae.serving.gateway.messages import Answer, refusal
from rvae.serving.gateway.routes import Share
from rvae.serving.torchserve.management.readiness import until_ready
from rvae.serving.torchserve.management.replies import done
from rvae.serving.torchserve.management.serving import Serving
from rvae.serving.torchserve.management.targets import model_path, number
from rvae.serving.torchserve.worker_log import WorkerLog

__all__ = ["Changes"]

START_SECONDS = 120.0  # for workers that are waited for


class Changes:
    """Changes of what is served.

    Args:
        serving: What is served.
        seconds: Longest time of a request, after which it has been answered.
    """

    def __init__(self, serving: Serving, seconds: float) -> None:
        self._serving = serving
        self._models = serving.models
        self._routes = serving.routes
        self._seconds = seconds
        self._changing: set[tuple[str, str]] = set()

    async def set_default(self, name: str, version: str) -> Answer:
        """Answer requests without a version by this one from now on."""
        # While it is being unregistered nobody would answer them.
        with self._alone(name, version) as taken:
            return _taken(version) if taken else await self._switch(name, version)

    async def _switch(self, name: str, version: str) -> Answer:
        async with self._serving.turn():
            found = self._routes.served.get(name)
            if found is not None and version in found.versions:
                ready = [
                    any(await self._models.workers(name, one) or ())
                    for one in (version, found.default)
                ]
                if ready == [False, True]:
                    message = f"{version} has no worker that is ready, {found.default} has"
                    return refusal(409, "version", message)
            answer = await self._models.ask("PUT", model_path(name, version, "set-default"))
            if answer.status == HTTPStatus.OK:
                await self._serving.tell()
        return answer

    async def share(self, kind: str, name: str, version: str, share: float) -> Answer:
        """Give a version a share of the default's requests, or copies of them.

        Raises:
            NotServedError: If it is not served.
        """
        async with self._serving.turn():
            if version == self._routes.require(name, version).default:
                return refusal(409, "version", f"{version} is the default")
            if share and not any(await self._models.workers(name, version) or ()):
                return refusal(409, "version", f"{version} has no worker that is ready")
            self._routes.give(kind, name, Share(version, share))
        return done(f"{version} is the {kind} of {name} with a share of {share:g}")

    async def unregister(self, name: str, version: str | None) -> Answer:
        """Refuse requests for a version, wait for those that it has, and take it away."""
        found = self._routes.served.get(name)
        if version is None and found is not None:
            version = found.default
        if (
            found is None
            or version is None
            or version not in found.versions
            or (version == found.default and len(found.versions) > 1)
        ):
            # Refused by TorchServe, which finds the words.
            return await self._models.ask("DELETE", model_path(name, version))
        with self._alone(name, version) as taken:
            if taken:
                return _taken(version)
            with self._routes.close(name, version):
                await self._routes.drained(name, version)
                async with self._serving.turn():
                    answer = await self._models.ask("DELETE", model_path(name, version))
                    if answer.status == HTTPStatus.OK:
                        self._serving.loading.pop((name, version), None)
                        await self._serving.tell()
        return answer

    async def scale(self, name: str, version: str | None, query: Mapping[str, str]) -> Answer:
        """Give a version another number of workers.

        Raises:
            FieldError: If the query is wrong.
        """
        least = number(query, "min_worker", 1)
        most = number(query, "max_worker", least)
        found = self._routes.served.get(name)
        if version is None:
            version = query.get("model_version") or (found.default if found else "")
        known = found is not None and version in found.versions
        workers = await self._models.workers(name, version) if known else None
        given = {"min_worker": str(least), "max_worker": str(most)}
        path = model_path(name, version)
        if workers is None or most < least:
            return await self._models.ask("PUT", path, given)
        with self._alone(name, version) as taken:
            if taken:
                return _taken(version)
            log = WorkerLog(self._serving.surroundings.logs)
            if most < len(workers):
                answer = await self._shrink(name, version, given)
            else:
                answer = await self._ask(path, given)
            waits = query.get("synchronous", "").lower() == "true"
            if answer.status != HTTPStatus.ACCEPTED or not waits:
                return answer
            reason = await until_ready(self._models, (name, version), least, log, START_SECONDS)
        if reason is not None:
            return refusal(500, "model", f"{name} {version}: {reason}")
        return done(f"Workers scaled to {least} for model: {name}, version: {version}")

    async def _shrink(self, name: str, version: str, given: Mapping[str, str]) -> Answer:
        """Take workers away while none has a request: those that come meanwhile wait."""
        with self._routes.hold(name, version):
            try:
                # What waits has to be answered in its time, too.
                async with asyncio.timeout(self._seconds / 2):
                    await self._routes.drained(name, version)
            except TimeoutError:
                message = f"{version} was not idle within {self._seconds / 2:g} s: try again"
                return refusal(503, "version", message, 1)
            return await self._ask(model_path(name, version), given)

    async def _ask(self, path: str, given: Mapping[str, str]) -> Answer:
        async with self._serving.turn():
            answer = await self._models.ask("PUT", path, given)
            if answer.status < HTTPStatus.BAD_REQUEST:
                await self._serving.tell()
            return answer

    @contextmanager
    def _alone(self, name: str, version: str) -> Iterator[bool]:
        """Whether somebody else changes a version; nobody else does meanwhile."""
        key = name, version
        if key in self._changing:
            yield True
            return
        self._changing.add(key)
        try:
            yield False
        finally:
            self._changing.discard(key)


def _taken(version: str) -> Answer:
    return refusal(409, "version", f"{version} is being changed: try again", 1)
