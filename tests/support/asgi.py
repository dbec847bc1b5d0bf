"""Services over HTTP without TorchServe: what another server has to do, in a few lines of ASGI."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import uvicorn

from rvae.serving.contract.error_replies import failure_reply
from rvae.serving.contract.messages import Reply, Request
from rvae.serving.service import Service

__all__ = ["AsgiServer", "ServiceApp", "served"]

Message = dict[str, Any]


class ServiceApp:
    """An ASGI application.

    Args:
        services: By names of models, then by their versions, of which the first is the default.
    """

    def __init__(self, services: Mapping[str, Mapping[str, Service]]) -> None:
        self._services = services
        self._turn = asyncio.Lock()  # a service is not for several threads at once

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Answer one request."""
        reply = await self._reply(scope, await _body(receive))
        headers = {"Content-Type": reply.content_type, "Content-Length": str(len(reply.body))}
        encoded = [(k.encode(), v.encode()) for k, v in (headers | dict(reply.headers)).items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
        await send({"type": "http.response.body", "body": reply.body})

    async def _reply(self, scope: Message, body: bytes) -> Reply:
        match scope["path"].split("/")[1:]:
            case ["predictions" | "explanations" as kind, name, *version]:
                service = self._find(name, *version)
                if service is not None and scope["method"] == "GET":
                    return service.describe_publicly()
                if service is not None:
                    headers = {k.decode(): v.decode("latin-1") for k, v in scope["headers"]}
                    request = Request(
                        body or None,
                        kind == "explanations",
                        headers.get("content-type"),
                        headers.get("accept"),
                        headers.get("rvae-options"),
                        headers.get("inference-header-content-length"),
                    )
                    async with self._turn:
                        (reply,) = await asyncio.to_thread(service.answer, [request])
                    return reply
            case ["models", name]:
                service = self._find(name)
                if service is not None:
                    return service.describe()
        return failure_reply(404, "path", "there is no such model or version")

    def _find(self, name: str, version: str | None = None) -> Service | None:
        versions = self._services.get(name, {})
        return versions.get(version) if version else next(iter(versions.values()), None)


async def _body(receive: Callable[[], Awaitable[Message]]) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


@dataclass(frozen=True)
class AsgiServer:
    """What tests ask of a server, whichever it is.

    Attributes:
        url: Its address.
        pid: The process that it runs in.
    """

    url: str
    pid: int = field(default_factory=os.getpid)


@contextmanager
def served(app: ServiceApp) -> Iterator[AsgiServer]:
    """A server that runs an application meanwhile, in this process."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        host, port = listening.getsockname()
        config = uvicorn.Config(app, lifespan="off", ws="none", log_level="critical")
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield AsgiServer(f"http://{host}:{port}")
        finally:
            server.should_exit = True
            thread.join()
