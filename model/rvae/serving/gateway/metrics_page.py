"""The page of metrics: our own, and after them the backend's as they are."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus

from rvae.serving.gateway.backend import Backend
from rvae.serving.gateway.forwarding import metrics
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer, Head, Request

__all__ = ["MetricsPage"]

TEXT = "text/plain; version=0.0.4; charset=utf-8"
# What a backend that hangs does not tell in this time is left out: a scrape waits for 10 s.
BACKEND_SECONDS = 3.0


class MetricsPage:
    """Answers with metrics in the text format of Prometheus.

    Args:
        own: Our own metrics; called in another thread, as it may take milliseconds.
        limits: The bounds.
    """

    def __init__(self, own: Callable[[], bytes], limits: GatewayLimits) -> None:
        self._own = own
        self._backend = metrics(limits)

    def use(self, backend: Backend | None) -> None:
        """Add the metrics of another backend from now on."""
        self._backend.use(backend)

    def check(self, head: Head) -> Answer | None:
        """Refuse other methods and paths, and what a web page sends."""
        return self._backend.check(head)

    async def answer(self, request: Request) -> Answer:
        """The metrics; without those of the backend where it does not answer."""
        content = await asyncio.to_thread(self._own)
        # It answers in a format of its choice, unless it is asked for this one.
        head = replace(request.head, headers={"accept": "text/plain"})
        with suppress(TimeoutError):
            async with asyncio.timeout(BACKEND_SECONDS):
                told = await self._backend.answer(replace(request, head=head))
                content += told.body if told.status == HTTPStatus.OK else b""
        return Answer(HTTPStatus.OK, content, {"content-type": TEXT})
