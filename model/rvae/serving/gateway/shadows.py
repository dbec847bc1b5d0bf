"""Copies of clients' requests for a version that answers nobody yet."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from rvae.serving.gateway.budget import ByteBudget
from rvae.serving.gateway.dispatcher import Job
from rvae.serving.gateway.messages import Answer
from rvae.serving.gateway.routes import Routes

__all__ = ["Shadows"]

# Copies at a time, and bytes of all their bodies but the first: clients' requests need the places.
MOST = 4
MOST_BYTES = 1_000_000


class Shadows:
    """Sends copies, and drops their answers.

    No client waits for a copy: it is sent after the client's answer, and not at all where there are
    many already, or memory is short.

    Args:
        routes: Which version gets copies.
        budget: Bytes in memory.
        send: What answers them.
    """

    def __init__(
        self, routes: Routes, budget: ByteBudget, send: Callable[[Job], Coroutine[Any, Any, Answer]]
    ) -> None:
        self._routes = routes
        self._budget = budget
        self._send = send
        self._running: set[asyncio.Task[Answer]] = set()
        self._held = 0

    def copy(self, job: Job) -> None:
        """Send a copy of a request that was answered, where its model has a shadow."""
        if job.version is not None:
            return  # its client wants that version and no other
        version = self._routes.shadow(job.model)
        fits = not self._running or (
            len(self._running) < MOST and self._held + len(job.body) <= MOST_BYTES
        )
        if version is None or not fits or self._budget.is_short:
            return
        copied = Job(job.kind, job.model, version, job.headers, job.body)
        # At once, not when the task begins: others may come before it.
        self._held += len(job.body)
        self._budget.hold(len(job.body))
        task = asyncio.create_task(self._send(copied))
        self._running.add(task)
        task.add_done_callback(partial(self._ended, len(job.body)))

    async def close(self) -> None:
        """Send no copies any more, and wait for none."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _ended(self, size: int, task: asyncio.Task[Answer]) -> None:
        self._running.discard(task)
        self._held -= size
        self._budget.release(size)
