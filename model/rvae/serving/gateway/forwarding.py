"""Requests that are passed on as they are."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from rvae.serving.gateway.backend import Backend, Client
from rvae.serving.gateway.http import header_lines
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer, Head, Request, not_allowed, refusal

__all__ = ["Forwarding", "metrics"]

KEPT = ("content-type", "accept")
SECONDS = 300.0  # a registration may wait until its workers have loaded


class Forwarding:
    """Passes requests to a socket of the backend.

    Args:
        socket: Which socket.
        limits: The bounds.
        methods: The allowed methods.
        path: The only allowed path; None allows all.
    """

    def __init__(
        self,
        socket: Callable[[Backend], Path],
        limits: GatewayLimits,
        methods: tuple[str, ...],
        path: str | None = None,
    ) -> None:
        self._socket = socket
        self._limits = limits
        self._methods = methods
        self._path = path
        self._client: Client | None = None

    def use(self, backend: Backend | None) -> None:
        """Pass requests to another backend from now on."""
        if self._client is not None:
            self._client.close()
        self._client = Client(self._socket(backend), self._limits) if backend else None

    def check(self, head: Head) -> Answer | None:
        """Refuse other methods and paths, and what a web page sends."""
        if "origin" in head.headers:
            return refusal(403, "Origin", "is not allowed: this is not for web pages")
        if self._path not in (None, head.target.partition("?")[0]):
            return refusal(404, "path", f"must be {self._path}")
        if head.method not in self._methods:
            return not_allowed(self._methods)
        return None

    async def answer(self, request: Request) -> Answer:
        """The answer of the backend."""
        if self._client is None:
            return refusal(503, "server", "is being replaced: try again", 1)
        method, target = request.head.method, request.head.target
        kept = {name: request.head.headers[name] for name in KEPT if name in request.head.headers}
        head = header_lines(method, target, kept, len(request.body)) + b"\r\n"
        try:
            async with asyncio.timeout(SECONDS):
                answer = await self._client.send(head, request.body)
        except TimeoutError:  # which is an OSError, too
            return refusal(504, "server", f"did not answer within {SECONDS:g} s")
        except OSError:
            return refusal(503, "server", "is being replaced: try again", 1)
        return Answer(
            answer.status,
            answer.body,
            {name: answer.headers[name] for name in KEPT if name in answer.headers},
        )


def metrics(limits: GatewayLimits) -> Forwarding:
    """The metrics, to be read."""
    return Forwarding(lambda backend: backend.metrics, limits, ("GET",), "/metrics")
