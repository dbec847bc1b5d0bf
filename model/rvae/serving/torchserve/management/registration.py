"""Versions that are added: nobody else is kept waiting, and what does not load is taken away."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import ExitStack
from http import HTTPStatus

from rvae.serving.gateway.messages import Answer, refusal
from rvae.serving.torchserve.management.models import GoneError
from rvae.serving.torchserve.management.readiness import until_ready
from rvae.serving.torchserve.management.replies import done
from rvae.serving.torchserve.management.serving import Serving
from rvae.serving.torchserve.management.targets import model_path
from rvae.serving.torchserve.registrations import Registration
from rvae.serving.torchserve.worker_log import WorkerLog

__all__ = ["Registering"]

logger = logging.getLogger(__name__)


class Registering:
    """Adds versions.

    Args:
        serving: What is served.
    """

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._models = serving.models
        self._loading: set[asyncio.Task[Answer]] = set()

    async def register(self, query: Mapping[str, str]) -> Answer:
        """Add the version of an archive, unless that is refused.

        Requests for it wait until its workers have loaded. This does, too, unless the query says
        otherwise.

        Raises:
            FieldError: If the archive is refused.
            GoneError: If TorchServe is being replaced.
        """
        if "url" in query:
            await asyncio.to_thread(self._serving.surroundings.check, query["url"])
        async with self._serving.turn():
            before = {one.key for one in await self._models.registrations()}
            log = WorkerLog(self._serving.surroundings.logs)
            # TorchServe's own waiting stops its answers to others.
            asked = {**query, "synchronous": "false"}
            answer = await self._models.ask("POST", "/models", asked)
            added = [one for one in await self._models.registrations() if one.key not in before]
            if answer.status >= HTTPStatus.BAD_REQUEST or not added:
                for one in added:  # and would refuse the next attempt
                    await self._models.ask("DELETE", model_path(*one.key))
                return answer
            (one,) = added
            if not one.min_workers:
                await self._serving.tell()
                return answer
            held = ExitStack()
            held.enter_context(self._serving.routes.hold(*one.key))
            task = asyncio.create_task(self._load(one, log, held))
            self._loading.add(task)
            task.add_done_callback(self._loading.discard)
            self._serving.loading[one.key] = task
            await self._serving.tell()
        if query.get("synchronous", "true").lower() != "true":
            return answer
        return await task

    async def close(self) -> None:
        """Wait for no version any more."""
        for task in list(self._loading):
            task.cancel()
        await asyncio.gather(*self._loading, return_exceptions=True)

    async def _load(self, one: Registration, log: WorkerLog, held: ExitStack) -> Answer:
        """Wait for the workers of a version, and take it away again if they do not load."""
        key, seconds = one.key, float(one.startup_timeout)
        with held:
            reason = await until_ready(self._models, key, one.min_workers, log, seconds)
            try:
                async with self._serving.turn():
                    reason = await self._settle(key, reason)
            except GoneError:
                reason = reason or "TorchServe was replaced meanwhile"
        if reason is not None:
            logger.warning("%s is not served: %s", one, reason)
            return refusal(500, "model", f"{one} is not served: {reason}")
        workers = f"registered with {one.min_workers} initial workers"
        return done(f'Model "{one.name}" Version: {one.version} {workers}')

    async def _settle(self, key: tuple[str, str], reason: str | None) -> str | None:
        """Tell of a version that has loaded, or take it away; return why it is not served."""
        if self._serving.loading.get(key) is not asyncio.current_task():
            return "it was unregistered meanwhile"  # one that is there by now is another one's
        del self._serving.loading[key]
        if reason is not None:
            await self._models.ask("DELETE", model_path(*key))
        await self._serving.tell()
        return reason
