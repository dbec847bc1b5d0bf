"""What can be asked of the management's socket."""

import asyncio
import base64
from collections.abc import Coroutine, Mapping
from dataclasses import asdict
from typing import Any

import orjson

from rvae.errors import FieldError, MalformedError
from rvae.serving.gateway.backend import Backend
from rvae.serving.gateway.gateway import Gateway
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer, Application, Head, Request, refusal
from rvae.serving.gateway.recordings import TooManyError
from rvae.serving.gateway.routes import NotServedError
from rvae.serving.torchserve.management.changes import Changes
from rvae.serving.torchserve.management.models import GoneError, Models
from rvae.serving.torchserve.management.registration import Registering
from rvae.serving.torchserve.management.replies import in_json
from rvae.serving.torchserve.management.serving import Serving
from rvae.serving.torchserve.management.surroundings import Surroundings
from rvae.serving.torchserve.management.targets import Target, decimal, number, target_of
from rvae.serving.torchserve.worker_log import WorkerLog
from rvae.serving.version_order import version_key

__all__ = ["Management"]

READING = ("GET", "OPTIONS")
# Of clients' requests, if nothing is said.
REQUESTS, SECONDS = 100, 30.0
MOST_SECONDS = 3600.0


class Management:
    """What the management's socket does with requests.

    Whoever may open it may also ask what clients ask. A change goes on when the one who asked for
    it hangs up.

    Args:
        limits: The bounds.
        clients: What answers clients.
        surroundings: The server.
    """

    def __init__(self, limits: GatewayLimits, clients: Gateway, surroundings: Surroundings) -> None:
        self._models = Models(limits)
        self._routes = clients.routes
        self._recordings = clients.recordings
        self._surroundings = surroundings
        serving = Serving(self._models, clients.routes, surroundings)
        self._changes = Changes(serving, limits.seconds)
        self._registering = Registering(serving)
        self._same: dict[str, Application] = {
            "predictions": clients.unseen,
            "explanations": clients.unseen,
            "v2": clients.unseen,
            "ping": clients.unseen,
            "metrics": clients.metrics,
        }
        self._running: set[asyncio.Task[Answer]] = set()

    def use(self, backend: Backend | None) -> None:
        """Manage another TorchServe from now on."""
        self._models.use(backend)

    async def close(self) -> None:
        """Change nothing more."""
        await self._registering.close()
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def check(self, head: Head) -> Answer | None:
        """Refuse what is nobody's business, and what a web page sends."""
        return self._application(head).check(head)

    async def answer(self, request: Request) -> Answer:
        """What was done, or what there is."""
        application = self._application(request.head)
        if application is not self._models.forwarding:
            return await application.answer(request)
        if request.head.method in READING:
            return await self._told(self._read(request))
        task = asyncio.create_task(self._told(self._change(request)))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    def _application(self, head: Head) -> Application:
        first = target_of(head.target).parts[:1]
        return self._same.get("".join(first), self._models.forwarding)

    async def _told(self, answering: Coroutine[Any, Any, Answer]) -> Answer:
        """An answer, or why there is none."""
        try:
            return await answering
        except FieldError as error:
            return refusal(400, error.field, error.message)
        except NotServedError as error:
            return error.answer
        except GoneError:
            return refusal(
                503, "server", "starts, or is being replaced: look what is served, and try again", 1
            )

    async def _read(self, request: Request) -> Answer:
        target = target_of(request.head.target)
        match target.parts:
            case ("server",):
                return in_json(self._server())
            case "models", name, "traffic":
                return await self._record(name, target.query)
            case "models", name, version, "failure":
                return await self._failure(name, version, target.query)
            case ("models", name, *version) if _describes(target):
                # A worker answers this. It is one of the requests that a version has.
                async with self._routes.enter(name, version[0] if version else None):
                    return await self._models.forwarding.answer(request)
        return await self._models.forwarding.answer(request)

    async def _change(self, request: Request) -> Answer:
        target = target_of(request.head.target)
        match request.head.method, *target.parts:
            case "POST", "models":
                return await self._registering.register(_query(request, target))
            case "PUT", "models", name, version, "set-default":
                return await self._changes.set_default(name, version)
            case "PUT", "models", name, version, "canary" | "shadow" as kind:
                share = decimal(target.query, "share", None, 1.0)
                return await self._changes.share(kind, name, version, share)
            case "PUT", "models", name, *version if len(version) < 2:
                return await self._changes.scale(name, "".join(version) or None, target.query)
            case "DELETE", "models", name, *version if len(version) < 2:
                return await self._changes.unregister(name, "".join(version) or None)
        return refusal(404, "path", "is nothing that can be changed: see docs/versions.md")

    async def _record(self, name: str, query: Mapping[str, str]) -> Answer:
        """The next requests of a model's clients."""
        requests = number(query, "requests", REQUESTS)
        seconds = decimal(query, "seconds", SECONDS, MOST_SECONDS)
        if name not in self._routes.served:
            return refusal(404, "model", f"{name} is not served")
        try:
            heard = await self._recordings.record(name, requests, seconds)
        except TooManyError:
            return refusal(503, "traffic", "is recorded by others: try again", 1)
        told = [
            {
                "path": one.path,
                "headers": dict(one.headers),
                "body": base64.b64encode(one.body).decode(),
            }
            for one in heard
        ]
        return in_json({"model": name, "requests": told})

    async def _failure(self, name: str, version: str, query: Mapping[str, str]) -> Answer:
        """Why workers of a version ended since a position of their log, and its end now.

        The end is told of any version: who is about to register one asks for it. The reason is,
        too, as one that does not load is taken away.

        Raises:
            FieldError: If the position is wrong.
            NotServedError: If the log tells nothing of the version, and it is not served.
        """
        logs = self._surroundings.logs
        end = WorkerLog(logs).begin
        log = WorkerLog(logs, number(query, "since", end))
        reason = await asyncio.to_thread(log.failure, f"{name}_{version}")
        if reason is None and "since" in query:
            self._routes.require(name, version)
        return in_json({"reason": reason, "position": end})

    def _server(self) -> dict[str, Any]:
        """Where the server is, and what it serves.

        Raises:
            GoneError: If its first TorchServe is not ready.
        """
        if not self._routes.are_known:
            raise GoneError
        around = self._surroundings
        previous = around.previous()
        models = {
            name: {
                "default": one.default,
                "previous": previous.get(name),
                **{kind: asdict(given) for kind, given in self._routes.shares(name).items()},
                "versions": sorted(one.versions, key=version_key),
            }
            for name, one in sorted(self._routes.served.items())
        }
        return {
            "store": str(around.store),
            "logs": str(around.logs),
            "predictions": around.predictions,
            "metrics": around.metrics,
            "models": models,
        }


def _describes(target: Target) -> bool:
    """Whether a version is asked for what it says of itself."""
    customized = target.query.get("customized", "").lower() == "true"
    return customized and target.parts[2:3] != ("all",) and len(target.parts) < 4


def _query(request: Request, target: Target) -> Mapping[str, str]:
    """The parameters of a registration, which may also be in JSON."""
    kind = request.head.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "application/json":
        return target.query
    try:
        content = orjson.loads(request.body)
        return {name: str(value) for name, value in content.items() if value is not None}
    except (orjson.JSONDecodeError, AttributeError):
        raise MalformedError("body", "must be an object in JSON") from None
